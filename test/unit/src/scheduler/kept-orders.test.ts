import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { CreateBody } from '../../../../src/docker/types.ts';
import type { Node, Placement, PlacementRequest, Requirement } from '../../../../src/scheduler/contracts.ts';
import { openFilters } from '../../../../src/scheduler/filters/index.ts';
import { KeptOrders } from '../../../../src/scheduler/kept-orders.ts';
import { placementRequest } from '../../../../src/scheduler/request.ts';
import { Scheduler } from '../../../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../../../src/scheduler/strategies/index.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { aNode, gib, someNodes, type NodeFacts, type TestNode } from './a-node.ts';
import { aScheduler, withRules } from './place.ts';

describe('kept orders', () => {
  for (const strategy of ['spread', 'binpack', 'spread:zone']) {
    it(`give ${strategy} the node that filtering and sorting all of them gives, while containers come and go`, () => {
      const random = new SeededRandom(1);
      for (let cluster = 0; cluster < 25; cluster += 1) {
        drill(random, strategy, undefined, (request, nodes) => expected(strategy, request, nodes));
      }
    });
  }

  for (const strategy of ['spread', 'binpack', 'random', 'spread:zone']) {
    it(`give ${strategy} with a seed the node and the reasons that it gives without them`, () => {
      const random = new SeededRandom(2);
      for (let cluster = 0; cluster < 15; cluster += 1) {
        const plain = aScheduler(strategy, { seed: cluster });
        drill(random, strategy, cluster, (request, nodes) => outcome(plain.place(request, nodes)));
      }
    });
  }

  it('look at few nodes, however many there are', () => {
    const nodes = someNodes(500);
    const asked = new Set<string>();
    const scheduler = aCountingScheduler(asked);
    const orders = new KeptOrders();
    for (let i = 0; i < 50; i += 1) {
      const placement = scheduler.place(placementRequest({ Image: 'busybox' }), nodes, orders);
      const chosen = nodes.find((node) => placement.kind === 'placed' && node === placement.nodes[0]);
      chosen?.add({});
      if (chosen !== undefined) orders.changed(chosen);
    }
    assert.equal(asked.size, 50);
  });

  it('look at few nodes for a copy of a service that every zone has one of already', () => {
    const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'front' };
    const nodes = Array.from({ length: 500 }, (_, index) =>
      aNode({ name: `node-${index}`, labels: { zone: `z${index % 3}` } }),
    );
    const asked = new Set<string>();
    const scheduler = aCountingScheduler(asked);
    const orders = new KeptOrders();
    for (let i = 0; i < 50; i += 1) {
      if (i === 3) asked.clear();
      const request = placementRequest({ Image: 'busybox', Labels: labels });
      takeOn(nodes, scheduler.place(request, nodes, orders), request, orders);
    }
    assert.equal(asked.size, 47);
  });

  it('pass over the nodes that rules leave out no more than once', () => {
    const nodes = Array.from({ length: 500 }, (_, index) =>
      aNode({ name: `node-${index}`, labels: { storage: index === 450 || index === 460 ? 'ssd' : 'disk' } }),
    );
    const asked = new Set<string>();
    const scheduler = aCountingScheduler(asked);
    const orders = new KeptOrders();
    const place = (): string => {
      asked.clear();
      const request = placementRequest(withRules('constraint:storage==ssd'));
      const placement = scheduler.place(request, nodes, orders);
      takeOn(nodes, placement, request, orders);
      return outcome(placement);
    };
    assert.equal(place(), 'node-450');
    assert.ok(asked.size > 300);
    assert.equal(place(), 'node-460');
    assert.deepEqual([...asked], ['node-460']);
  });

  it('let a node back in when the container is gone that a rule kept it out for', () => {
    const nodes = someNodes(150);
    const orders = new KeptOrders();
    const scheduler = aScheduler('binpack');
    const place = (name: string): string => {
      const request = placementRequest(withRules('affinity:container!=web*'), { name });
      const placement = scheduler.place(request, nodes, orders);
      takeOn(nodes, placement, request, orders);
      return outcome(placement);
    };
    const used = nodes.map((_, index) => place(`web-${index}`));
    assert.equal(new Set(used).size, nodes.length);
    assert.match(place('web-one-too-many'), /Unable to find a node/);
    for (const index of [70, 7, 149]) {
      nodes[index]?.removeOldest();
      orders.changed(nodes[index] ?? aNode());
      assert.equal(place(`web-again-${index}`), `node-${index + 1}`);
    }
  });

  it('are made anew for other nodes', () => {
    const orders = new KeptOrders();
    const order = openStrategy('spread').order?.(placementRequest({}));
    assert.ok(order);
    const names = (nodes: readonly Node[]): readonly string[] =>
      [...orders.bestFirst(order, nodes, [])].map((n) => n.name);
    assert.deepEqual(names(someNodes(2)), ['node-1', 'node-2']);
    orders.clear();
    assert.deepEqual(names(someNodes(3)), ['node-1', 'node-2', 'node-3']);
  });

  it('of many sizes of containers do not get in each other’s way', () => {
    const nodes = someNodes(40, { memoryGib: 400 });
    const orders = new KeptOrders();
    const scheduler = aScheduler('spread');
    for (let i = 0; i < 400; i += 1) {
      const request = placementRequest({ Image: 'busybox', HostConfig: { Memory: ((i % 50) + 1) * 2 ** 20 } });
      const kept = scheduler.place(request, nodes, orders);
      assert.equal(outcome(kept), outcome(scheduler.place(request, nodes)));
      takeOn(nodes, kept, request, orders);
    }
  });
});

/** Puts the name of every node that it looks at into `asked`. */
function aCountingScheduler(asked: Set<string>): Scheduler {
  const accepts = (node: Node): boolean => asked.add(node.name).size > 0;
  const counting = { name: 'counting', requirements: () => [{ description: 'any node', soft: false, accepts }] };
  return new Scheduler({ filters: [counting, ...openFilters()], strategy: openStrategy('spread') });
}

/** Thirty requests of a few kinds to a random cluster; each outcome is compared with that of `reference`. */
function drill(
  random: SeededRandom,
  strategy: string,
  seed: number | undefined,
  reference: (request: PlacementRequest, nodes: readonly TestNode[]) => string,
): void {
  const size = random.chance(0.1) ? random.between(70, 120) : random.between(1, 20);
  const nodes = Array.from({ length: size }, (_, index) => aNode(randomFacts(random, index)));
  const bodies = Array.from({ length: 6 }, () => randomBody(random));
  const scheduler = aScheduler(strategy, { seed });
  const orders = new KeptOrders();
  for (let i = 0; i < 30; i += 1) {
    const request = placementRequest(random.oneOf(bodies) ?? {}, {
      name: `${random.oneOf(['web', 'db', 'job']) ?? ''}-${i}`,
    });
    const placement = scheduler.place(request, nodes, orders);
    const found = outcome(placement);
    assert.equal(found, reference(request, nodes), JSON.stringify(request));
    takeOn(nodes, placement, request, orders);
    const left = random.chance(0.4) ? random.oneOf(nodes) : undefined;
    left?.removeOldest();
    if (left !== undefined) orders.changed(left);
  }
}

/** The name of the node, or the refusal. */
function outcome(placement: Placement): string {
  return placement.kind === 'placed' ? (placement.nodes[0]?.name ?? '') : placement.explanation;
}

function takeOn(nodes: readonly TestNode[], placement: Placement, request: PlacementRequest, orders: KeptOrders): void {
  const chosen = nodes.find((node) => placement.kind === 'placed' && node === placement.nodes[0]);
  if (chosen === undefined) return;
  chosen.take(request);
  orders.changed(chosen);
}

function randomFacts(random: SeededRandom, index: number): NodeFacts {
  const zone = random.oneOf(['x', 'y', 'z', undefined]);
  const storage = random.oneOf(['ssd', 'disk', undefined]);
  return {
    name: `n${index}`,
    labels: {
      ...(zone === undefined ? {} : { zone }),
      ...(storage === undefined ? {} : { storage }),
      ...(random.chance(0.1) ? { 'overcommit.memory': '0.5' } : {}),
      ...(random.chance(0.1) ? { containerslots: '3' } : {}),
    },
    ...(random.chance(0.1) ? { refusal: 'draining' } : {}),
    memoryGib: random.oneOf([2, 4, 4, 4, 8]) ?? 4,
    cpus: random.oneOf([2, 4, 4]) ?? 4,
    images: random.chance(0.5) ? ['busybox:latest'] : [],
    containers: Array.from({ length: random.between(0, 4) }, (_, container) => ({
      name: `${random.oneOf(['web', 'db', 'app']) ?? ''}-${index}-${container}`,
      isActive: random.chance(0.8),
      memoryBytes: random.between(0, 2) * (gib / 4),
      nanoCpus: random.between(0, 2) * 2.5e8,
    })),
  };
}

const rules = [
  'constraint:zone==x',
  'constraint:zone!=y',
  'constraint:storage==~ssd',
  'constraint:zone==~/x|z/',
  'constraint:zone==~moon',
  'affinity:container!=web*',
  'affinity:container!=~db*',
  'affinity:container!=web*@zone',
  'affinity:container==~web-1*',
  'affinity:image==busybox',
  'strategy:binpack',
];

function randomBody(random: SeededRandom): CreateBody {
  const project = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'front' };
  return {
    Image: 'busybox',
    Env: rules.filter(() => random.chance(0.12)),
    Labels: random.chance(0.2) ? project : {},
    HostConfig: {
      Memory: (random.oneOf([0, 0, 1, 2, 3]) ?? 0) * (gib / 4),
      NanoCpus: (random.oneOf([0, 0, 1, 3]) ?? 0) * 2.5e8,
      PortBindings: random.chance(0.1) ? { '80/tcp': [{ HostPort: '80' }] } : {},
    },
  };
}

/** What the documents say, node by node and without haste. The refusal is the scheduler's own. */
function expected(strategy: string, request: PlacementRequest, nodes: readonly TestNode[]): string {
  const exact = { overcommit: { cpu: 0, memory: 0 } };
  const requirements = openFilters([], exact).flatMap((filter) => filter.requirements(request, nodes));
  let left: readonly TestNode[] = nodes.filter((node) => requirements.every((rule) => rule.soft || rule.accepts(node)));
  if (left.length === 0) return outcome(aScheduler(strategy).place(request, nodes));
  for (const rule of requirements.filter(({ soft }) => soft)) left = whereHeld(rule, left);
  const keyed = left.map((node) => ({ node, keys: sortKeys(request.strategy ?? strategy, request, node, nodes) }));
  return keyed.sort((a, b) => compareKeys(a.keys, b.keys) || (a.node.name < b.node.name ? -1 : 1))[0]?.node.name ?? '';
}

function whereHeld(rule: Requirement, nodes: readonly TestNode[]): readonly TestNode[] {
  const held = nodes.filter((node) => rule.accepts(node));
  return held.length > 0 ? held : nodes;
}

function sortKeys(
  strategy: string,
  request: PlacementRequest,
  node: TestNode,
  nodes: readonly TestNode[],
): readonly number[] {
  const sign = strategy === 'binpack' ? -1 : 1;
  return [
    ...(strategy === 'spread:zone' ? zoneLoad(request, node, nodes) : []),
    sign * Math.round(share(request, node) * 1e6),
    sign * node.activeContainers,
    node.hasImage(request.image) ? 0 : 1,
  ];
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  return a.map((key, index) => key - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** Percent of CPU and of memory with the new container on it; 100 for what it does not ask for. */
function share({ nanoCpus, memoryBytes }: PlacementRequest, node: TestNode): number {
  const stretched = 1 + Number(node.labels['overcommit.memory'] ?? 0);
  const cpu = nanoCpus > 0 ? ((node.reservedNanoCpus + nanoCpus) * 100) / node.totalNanoCpus : 100;
  const capacityBytes = node.totalMemoryBytes * stretched;
  return cpu + (memoryBytes > 0 ? ((node.reservedMemoryBytes + memoryBytes) * 100) / capacityBytes : 100);
}

/** The copies of the service in the zone, then all containers of it. */
function zoneLoad(request: PlacementRequest, node: TestNode, nodes: readonly TestNode[]): readonly number[] {
  const service = request.labels['com.docker.compose.service'];
  const inZone = nodes.filter(({ labels }) => labels['zone'] === node.labels['zone']);
  const containers = inZone.flatMap((other) => [...other.containers()]);
  const copies = containers.filter(({ labels }) => labels['com.docker.compose.service'] === service);
  return [service === undefined ? 0 : copies.length, containers.filter(({ isActive }) => isActive).length];
}
