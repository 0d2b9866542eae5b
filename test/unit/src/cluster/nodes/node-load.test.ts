import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { NodeLoad } from '../../../../../src/cluster/nodes/node-load.ts';
import type { LoadEntry } from '../../../../../src/cluster/nodes/node-load.ts';
import type { PublishedPort } from '../../../../../src/scheduler/contracts.ts';

describe('NodeLoad', () => {
  it('counts active containers and what they hold, and nothing of stopped ones', () => {
    const load = new NodeLoad();
    load.put(entry('a', { nanoCpus: 2, memoryBytes: 10 }));
    load.put(entry('b', { isActive: false, nanoCpus: 5, memoryBytes: 50 }));
    assert.deepEqual(sums(load), [1, 2, 2, 10]);
    load.put(entry('a', { nanoCpus: 3, memoryBytes: 30 }));
    assert.deepEqual(sums(load), [1, 2, 3, 30]);
    load.remove('a');
    load.remove('a');
    assert.deepEqual(sums(load), [0, 1, 0, 0]);
  });

  it('tells what came and went since a revision, as long as that is not long ago', () => {
    const load = new NodeLoad();
    load.put(entry('a'));
    const { revision } = load;
    assert.deepEqual(load.since(revision), []);
    load.put(entry('b'));
    load.put(entry('a', { name: 'c' }));
    const changes = load.since(revision)?.map(({ container, isGone }) => `${isGone ? '-' : '+'}${container.name}`);
    assert.deepEqual(changes, ['+b', '-a', '+c']);
    for (let i = 0; i < 10; i += 1) load.put(entry('b'));
    assert.equal(load.since(revision), undefined);
  });

  it('finds containers by id and by name, and keeps a name that a newer one took', () => {
    const load = new NodeLoad();
    load.put(entry('a', { name: 'web' }));
    load.put(entry('b', { name: 'web' }));
    load.remove('a');
    assert.equal(load.named('web')?.container.id, 'b');
    load.remove('b');
    assert.equal(load.named('web'), undefined);
  });

  const port = (ip: string, number = 80, protocol = 'tcp'): PublishedPort => ({ ip, port: number, protocol });
  const cases: readonly (readonly [PublishedPort, PublishedPort, boolean])[] = [
    [port(''), port(''), true],
    [port('0.0.0.0'), port('10.0.0.1'), true],
    [port('10.0.0.1'), port('::'), true],
    [port('10.0.0.1'), port('10.0.0.2'), false],
    [port('10.0.0.1'), port('10.0.0.1'), true],
    [port('', 80), port('', 81), false],
    [port('', 80, 'tcp'), port('', 80, 'udp'), false],
  ];
  for (const [held, asked, isTaken] of cases) {
    it(`${isTaken ? 'keeps' : 'does not keep'} ${JSON.stringify(asked)} from others while ${JSON.stringify(held)} is held`, () => {
      const load = new NodeLoad();
      load.put(entry('a', {}, [held]));
      assert.equal(load.isPortTaken(asked, 0), isTaken);
      assert.equal(load.isPortTaken(asked, 0, 'a'), false, 'the holder itself does not count');
      load.remove('a');
      assert.equal(load.isPortTaken(asked, 0), false);
    });
  }

  it('holds the ports of a container that was never started only for its time', () => {
    const load = new NodeLoad();
    load.put({ ...entry('a', {}, [port('')]), portsHeldUntilMs: 100 });
    assert.equal(load.isPortTaken(port(''), 99), true);
    assert.equal(load.isPortTaken(port(''), 100), false);
  });
});

function sums(load: NodeLoad): number[] {
  return [load.activeContainers, load.totalContainers, load.nanoCpus, load.memoryBytes];
}

function entry(
  id: string,
  container: Partial<LoadEntry['container']> = {},
  ports: readonly PublishedPort[] = [],
): LoadEntry {
  const plain = { name: id, image: 'i', imageId: '', labels: {}, isActive: true, nanoCpus: 0, memoryBytes: 0 };
  return { container: { ...plain, ...container, id }, ports, portsHeldUntilMs: Infinity };
}
