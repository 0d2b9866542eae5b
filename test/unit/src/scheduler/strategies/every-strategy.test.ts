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

describe('the random strategy', () => {
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
