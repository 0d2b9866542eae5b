import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { decisionLines, scoreText } from '../../../../src/scheduler/explain.ts';
import { portsToReserve } from '../../../../src/scheduler/filters/port.ts';
import { placementRequest } from '../../../../src/scheduler/request.ts';
import { aNode, gib, someNodes } from './a-node.ts';
import { aScheduler, namesFor, refusalOf, run, withRules } from './place.ts';

describe('soft rules', () => {
  const nodes = [
    aNode({ name: 'a', labels: { zone: 'x' } }),
    aNode({ name: 'b', labels: { zone: 'y', storage: 'ssd' } }),
    aNode({ name: 'c', labels: { zone: 'y' } }),
  ];

  it('hold while a node is left', () => {
    assert.deepEqual(namesFor(withRules('constraint:zone==~y'), nodes), ['b', 'c']);
    assert.deepEqual(namesFor(withRules('constraint:zone==~y', 'constraint:storage==~ssd'), nodes), ['b']);
  });

  it('that cannot be met cost no other, whichever comes first', () => {
    assert.deepEqual(namesFor(withRules('constraint:zone==~moon', 'constraint:storage==~ssd'), nodes), ['b']);
    assert.deepEqual(namesFor(withRules('constraint:storage==~ssd', 'constraint:zone==~moon'), nodes), ['b']);
  });

  it('that exclude each other are given up last first', () => {
    assert.deepEqual(namesFor(withRules('constraint:zone==~x', 'constraint:storage==~ssd'), nodes), ['a']);
    assert.deepEqual(namesFor(withRules('constraint:storage==~ssd', 'constraint:zone==~x'), nodes), ['b']);
  });

  it('never weaken a hard one', () => {
    assert.deepEqual(namesFor(withRules('constraint:zone==~y', 'constraint:node==a'), nodes), ['a']);
    assert.deepEqual(namesFor(withRules('constraint:zone==moon', 'constraint:storage==~ssd'), nodes), []);
  });
});

describe('a placement', () => {
  it('tells the strategy, the score of the chosen node and the rules given up', () => {
    const nodes = someNodes(2, { memoryGib: 4 });
    const request = placementRequest({ HostConfig: { Memory: gib }, Env: ['constraint:zone==~moon'] });
    const placement = aScheduler().place(request, nodes);
    assert.ok(placement.kind === 'placed');
    assert.deepEqual(placement.decision, {
      node: 'node-1',
      strategy: 'spread',
      candidates: 2,
      nodes: 2,
      score: { parts: { cpu: 100, memory: 25 }, ties: { containers: 0 } },
      givenUp: ['zone==~moon'],
    });
    assert.deepEqual(decisionLines(placement.decision), [
      'strategy spread: best of 2 candidates among 2 nodes',
      'given up: zone==~moon',
    ]);
    assert.equal(scoreText(placement.decision.score), 'score 125.0 = cpu 100.0 + memory 25.0; containers 0');
  });

  it('stays on pinned nodes, by name or id', () => {
    const request = placementRequest({});
    const place = (nodes: readonly string[]): readonly string[] => {
      const placement = aScheduler().place(
        { ...request, pinnedNodes: { nodes, reason: 'the image is elsewhere' } },
        someNodes(3),
      );
      return placement.kind === 'placed' ? placement.nodes.map(({ name }) => name) : [placement.explanation];
    };
    assert.deepEqual(place(['node-2', 'id-of-node-3']), ['node-2', 'node-3']);
    assert.match(place(['nowhere'])[0] ?? '', /\n {2}node-1: the image is elsewhere\n/);
  });

  it('does not depend on the order of the nodes', () => {
    const nodes = someNodes(5);
    assert.deepEqual(namesFor({}, nodes), namesFor({}, [...nodes].reverse()));
  });

  it('looks at the containers of a node anew when they have changed', () => {
    const scheduler = aScheduler();
    const nodes = someNodes(3);
    const body = { Env: ['affinity:container!=web*'] };
    const names = ['web-1', 'web-2', 'web-3', 'web-4'];
    const placed = names.map((name) => run(scheduler, body, nodes, { name }));
    assert.deepEqual(placed, ['node-1', 'node-2', 'node-3', undefined]);
    assert.equal(run(scheduler, { Env: ['affinity:container==web-2*'] }, nodes), 'node-2');
  });

  it('keeps rules apart that differ in nothing but their operator', () => {
    const scheduler = aScheduler();
    const nodes = [aNode({ name: 'a', containers: [{ labels: { tier: '5' } }] })];
    const place = (rule: string): string | undefined => scheduler.place(placementRequest(withRules(rule)), nodes).kind;
    assert.equal(place('affinity:tier==5'), 'placed');
    assert.equal(place('affinity:tier<5'), 'refused');
    assert.equal(place('affinity:tier>=5'), 'placed');
    assert.equal(place('affinity:tier!=5'), 'refused');
  });

  it('keeps rules apart that differ, however many there were', () => {
    const scheduler = aScheduler();
    const nodes = someNodes(2);
    nodes[0]?.add({ name: 'web-7' });
    for (let turn = 0; turn < 3; turn += 1) {
      for (let i = 0; i < 200; i += 1) {
        const request = placementRequest({ Env: [`affinity:container!=*-${i}`] });
        const placement = scheduler.place(request, nodes);
        assert.equal(placement.kind === 'placed' && placement.nodes.length, i === 7 ? 1 : 2, String(i));
      }
    }
  });

  it('reserves fixed ports and those on the network of the engine', () => {
    const node = aNode();
    const ports = portsToReserve(
      placementRequest({ ExposedPorts: { '53/udp': {} }, HostConfig: { NetworkMode: 'host' } }),
      node,
    );
    assert.deepEqual(ports, [{ ip: '', port: 53, protocol: 'udp' }]);
  });
});

describe('a refusal', () => {
  it('lists every node by name with its first failing reason', () => {
    const nodes = [
      aNode({ name: 'node-3', memoryGib: 1, labels: { storage: 'ssd' } }),
      aNode({ name: 'node-1', refusal: 'unhealthy: connection refused' }),
      aNode({ name: 'node-2', memoryGib: 1, labels: { storage: 'disk' } }),
    ];
    const explanation = refusalOf({ HostConfig: { Memory: 2 * gib }, Env: ['constraint:storage==ssd'] }, nodes);
    assert.deepEqual(explanation.split('\n'), [
      'no resources available to schedule container',
      '[a healthy node]',
      '[storage==ssd]',
      '[2GiB of memory]',
      '  node-1: unhealthy: connection refused',
      '  node-2: constraint storage==ssd does not hold (storage is disk)',
      '  node-3: 2GiB of memory wanted, 1GiB free',
    ]);
  });

  it('names the conditions that some node does not meet, and no others', () => {
    const node = aNode({ name: 'node-1', labels: { zone: 'a' } });
    node.add({ ports: [{ ip: '', port: 80, protocol: 'tcp' }] });
    const body = {
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '80' }] }, Memory: gib },
      Env: ['constraint:zone==a', 'affinity:role!=db', 'affinity:role==web'],
    };
    assert.deepEqual(refusalOf(body, [node]).split('\n'), [
      'Unable to find a node that satisfies the following conditions',
      '[port 80 (Bridge mode)]',
      '[role==web (soft=false)]',
      '  node-1: port 80/tcp is taken',
    ]);
  });

  it('says when there are no nodes at all', () => {
    assert.equal(refusalOf({}, []), 'no node can take the container: the cluster has no nodes');
  });
});
