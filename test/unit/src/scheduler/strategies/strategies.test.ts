import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { CreateBody } from '../../../../../src/docker/types.ts';
import { openStrategy } from '../../../../../src/scheduler/strategies/index.ts';
import { placementRequest } from '../../../../../src/scheduler/request.ts';
import { aNode, gib, someNodes, type TestNode } from '../a-node.ts';
import { aScheduler, run } from '../place.ts';

/** A container of so many GiB and CPUs, 0 for none asked. */
function sized(memoryGib: number, cpus = 0): CreateBody {
  return { Image: 'busybox', HostConfig: { Memory: memoryGib * gib, NanoCpus: cpus * 1e9 } };
}

function runMany(
  strategy: string,
  body: CreateBody,
  nodes: readonly TestNode[],
  count: number,
): readonly (string | undefined)[] {
  const scheduler = aScheduler(strategy);
  return Array.from({ length: count }, () => run(scheduler, body, nodes));
}

const loads = (nodes: readonly TestNode[]): readonly number[] => nodes.map(({ activeContainers }) => activeContainers);

describe('spread', () => {
  it('puts six containers on three nodes two by two', () => {
    const nodes = someNodes(3);
    assert.deepEqual(runMany('spread', { Image: 'busybox' }, nodes, 6), [
      'node-1',
      'node-2',
      'node-3',
      'node-1',
      'node-2',
      'node-3',
    ]);
    assert.deepEqual(loads(nodes), [2, 2, 2]);
  });

  it('does not count stopped containers', () => {
    const stopped = Array.from({ length: 50 }, () => ({ isActive: false }));
    const nodes = [aNode({ name: 'a', containers: stopped }), aNode({ name: 'b', containers: [{}] })];
    assert.equal(run(aScheduler('spread'), {}, nodes), 'a');
    assert.equal(run(aScheduler('spread', { load: 'all' }), {}, nodes), 'b');
  });

  it('prefers the node with more free memory', () => {
    const nodes = [aNode({ name: 'a', memoryGib: 2 }), aNode({ name: 'b', memoryGib: 4 })];
    assert.equal(run(aScheduler('spread'), sized(1), nodes), 'b');
  });

  it('gives equal weights to the node with fewer containers', () => {
    const nodes = [
      aNode({ name: 'a', memoryGib: 4, containers: [{ memoryBytes: gib }, { memoryBytes: gib }] }),
      aNode({ name: 'b', memoryGib: 4, containers: [{ memoryBytes: 2 * gib }] }),
    ];
    assert.equal(run(aScheduler('spread'), sized(1), nodes), 'b');
  });

  it('places 2, 3 and 1 GiB: the third beside the first', () => {
    const nodes = someNodes(2, { memoryGib: 4 });
    const scheduler = aScheduler('spread');
    const first = run(scheduler, sized(2), nodes);
    const second = run(scheduler, sized(3), nodes);
    assert.notEqual(first, second);
    assert.equal(run(scheduler, sized(1), nodes), first);
  });

  it('treats nodes of different size alike when nothing is asked for', () => {
    const nodes = [aNode({ name: 'a', memoryGib: 64, cpus: 21 }), aNode({ name: 'b', memoryGib: 128, cpus: 42 })];
    runMany('spread', sized(0), nodes, 60);
    assert.deepEqual(loads(nodes), [30, 30]);
  });

  it('fills nodes in proportion to their CPUs', () => {
    const nodes = [aNode({ name: 'a', memoryGib: 64, cpus: 21 }), aNode({ name: 'b', memoryGib: 128, cpus: 42 })];
    runMany('spread', sized(0, 1), nodes, 60);
    assert.deepEqual(loads(nodes), [20, 40]);
  });

  it('fills nodes until nothing is left, then refuses', () => {
    const nodes = someNodes(100, { memoryGib: 1, cpus: 1 });
    const placed = runMany('spread', sized(1, 1), nodes, 101);
    assert.equal(new Set(placed.slice(0, 100)).size, 100);
    assert.equal(placed[100], undefined);
  });

  it('prefers the node that has the image between equals, not over load', () => {
    const nodes = [aNode({ name: 'a' }), aNode({ name: 'b', images: ['busybox:latest'] })];
    assert.equal(run(aScheduler('spread'), { Image: 'busybox' }, nodes), 'b');
    assert.equal(run(aScheduler('spread'), { Image: 'busybox' }, nodes), 'a');
  });
});

describe('binpack', () => {
  it('fills one node before the next', () => {
    const nodes = someNodes(2, { memoryGib: 2 });
    assert.deepEqual(runMany('binpack', sized(1), nodes, 5), ['node-1', 'node-1', 'node-2', 'node-2', undefined]);
  });

  it('keeps containers that ask for nothing together', () => {
    const nodes = someNodes(3);
    assert.deepEqual(runMany('binpack', { Image: 'busybox' }, nodes, 4), ['node-1', 'node-1', 'node-1', 'node-1']);
  });

  it('gives equal weights to the node with more containers', () => {
    const nodes = [
      aNode({ name: 'a', memoryGib: 4, containers: [{ memoryBytes: 2 * gib }] }),
      aNode({ name: 'b', memoryGib: 4, containers: [{ memoryBytes: gib }, { memoryBytes: gib }] }),
    ];
    assert.equal(run(aScheduler('binpack'), sized(1), nodes), 'b');
  });

  it('places 2, 3 and 1 GiB: the third beside the second', () => {
    const nodes = someNodes(2, { memoryGib: 4 });
    const scheduler = aScheduler('binpack');
    const first = run(scheduler, sized(2), nodes);
    const second = run(scheduler, sized(3), nodes);
    assert.notEqual(first, second);
    assert.equal(run(scheduler, sized(1), nodes), second);
  });

  it('is overcommitted by five percent when nothing else is said, and not more', () => {
    const nodes = [aNode({ memoryGib: 100 })];
    const scheduler = aScheduler('binpack', { overcommit: { cpu: 0.05, memory: 0.05 } });
    assert.equal(run(scheduler, sized(100), nodes), 'node-1');
    assert.equal(run(scheduler, sized(5), nodes), 'node-1');
    assert.equal(run(scheduler, sized(1), nodes), undefined);
  });

  it('holds some back when the overcommit is negative', () => {
    const nodes = [aNode({ memoryGib: 100 })];
    const scheduler = aScheduler('binpack', { overcommit: { cpu: 0, memory: -0.1 } });
    assert.equal(run(scheduler, sized(91), nodes), undefined);
    assert.equal(run(scheduler, sized(90), nodes), 'node-1');
  });
});

describe('random', () => {
  it('uses every node, and the same ones in the same order for the same seed', () => {
    const draw = (seed: number, nodes: readonly TestNode[]): readonly (string | undefined)[] => {
      const scheduler = aScheduler('random', { seed });
      return Array.from({ length: 60 }, () => run(scheduler, {}, nodes));
    };
    const first = draw(7, someNodes(3));
    assert.deepEqual(draw(7, [...someNodes(3)].reverse()), first);
    assert.notDeepEqual(draw(8, someNodes(3)), first);
    assert.deepEqual([...new Set(first)].sort(), ['node-1', 'node-2', 'node-3']);
  });

  it('chosen by a container goes on with the sequence of the manager', () => {
    const scheduler = aScheduler('spread', { seed: 7 });
    const nodes = someNodes(5);
    const placed = Array.from({ length: 30 }, () => run(scheduler, { Env: ['strategy:random'] }, nodes));
    assert.ok(new Set(placed).size > 1);
  });
});

describe('spread over a label', () => {
  it('puts nine copies on three zones three by three, whatever the number of nodes in each', () => {
    const nodes = ['x', 'x', 'x', 'y', 'z', 'z'].map((zone, index) =>
      aNode({ name: `node-${index}`, labels: { zone } }),
    );
    const zoneOf = (name: string | undefined): string | undefined =>
      nodes.find((node) => node.name === name)?.labels['zone'];
    const zones = runMany('spread:zone', { Image: 'busybox' }, nodes, 9).map(zoneOf);
    for (const zone of ['x', 'y', 'z']) assert.equal(zones.filter((found) => found === zone).length, 3, zone);
    assert.ok(nodes.every(({ activeContainers }) => activeContainers >= 1));
  });

  it('counts the copies of a Compose service before other containers', () => {
    const service = { 'com.docker.compose.project': 'app', 'com.docker.compose.service': 'web' };
    const nodes = [
      aNode({ name: 'a', labels: { zone: 'x' }, containers: [{ labels: service }] }),
      aNode({ name: 'b', labels: { zone: 'x' } }),
      aNode({ name: 'c', labels: { zone: 'y' }, containers: [{}, {}, {}] }),
    ];
    assert.equal(run(aScheduler('spread:zone'), { Labels: service }, nodes), 'c');
  });

  it('counts zones by the nodes that were left out too', () => {
    const nodes = [
      aNode({ name: 'a', labels: { zone: 'x' }, refusal: 'draining', containers: [{}, {}] }),
      aNode({ name: 'b', labels: { zone: 'x' } }),
      aNode({ name: 'c', labels: { zone: 'y' }, containers: [{}] }),
    ];
    assert.equal(run(aScheduler('spread:zone'), {}, nodes), 'c');
  });
});

describe('every strategy', () => {
  const facts = [
    { memoryGib: 4, containers: [{ memoryBytes: gib }] },
    { memoryGib: 8 },
    { memoryGib: 4, containers: [{}, {}] },
    { memoryGib: 4, containers: [{}, {}], images: ['busybox:latest'] },
    { memoryGib: 8, cpus: 8, containers: [{ nanoCpus: 4e9 }] },
  ];
  const nodes = facts.map((fact, index) => aNode({ ...fact, name: `n${index}`, labels: { zone: String(index % 2) } }));

  for (const name of ['spread', 'binpack', 'random', 'spread:zone']) {
    it(`${name} answers every node once and does not depend on the order of its input`, () => {
      for (const body of [sized(0), sized(1), sized(1, 1), sized(0, 2)]) {
        const request = placementRequest(body);
        const rank = (input: readonly TestNode[]): readonly string[] =>
          openStrategy(name, { seed: 3 })
            .rank(request, input, input)
            .map((node) => node.name);
        const ranked = rank(nodes);
        assert.deepEqual([...ranked].sort(), ['n0', 'n1', 'n2', 'n3', 'n4']);
        assert.deepEqual(rank([...nodes].reverse()), ranked);
        assert.deepEqual(rank([...nodes.slice(2), ...nodes.slice(0, 2)]), ranked);
      }
    });
  }

  for (const name of ['spread', 'binpack', 'random', 'spread:zone']) {
    it(`${name} never puts more on a node than it holds`, () => {
      const small = someNodes(4, { memoryGib: 3, cpus: 2 });
      const sizes = [1, 2, 0.5, 3, 0, 1.5];
      const scheduler = aScheduler(name, { seed: 1 });
      for (let i = 0; i < 60; i += 1) run(scheduler, sized(sizes[i % sizes.length] ?? 0, (i % 4) / 2), small);
      for (const node of small) {
        assert.ok(node.reservedMemoryBytes <= node.totalMemoryBytes);
        assert.ok(node.reservedNanoCpus <= node.totalNanoCpus);
      }
    });
  }

  it('settles ties by name, or differently by seed', () => {
    const request = placementRequest({});
    const first = (seed: number | undefined): string | undefined =>
      openStrategy('spread', { seed }).rank(request, someNodes(8), [])[0]?.name;
    assert.equal(first(undefined), 'node-1');
    assert.equal(first(5), first(5));
    assert.ok(new Set([1, 2, 3, 4, 5, 6, 7, 8].map(first)).size > 1);
  });

  it('is refused under an unknown name', () => {
    assert.throws(
      () => openStrategy('best'),
      /unknown strategy "best": expected one of spread, binpack, random, spread:<label>/,
    );
    assert.equal(openStrategy('binpacking').name, 'binpack');
  });
});
