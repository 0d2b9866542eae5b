import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Identities } from '../../../../../src/cluster/nodes/identity.ts';
import { ContainerOrder } from '../../../../../src/cluster/index/container-order.ts';
import type { ContainerLocation } from '../../../../../src/cluster/locations.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';
import { parseContainerDetails } from '../../../../../src/engine/container-details.ts';
import { Engine } from '../../../../../src/engine/engine.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

const [one, two] = ['10.0.0.1:2375', '10.0.0.2:2375'].map(
  (address) => new Engine({ address, logger: createSilentLogger() }),
);
assert.ok(one && two);
const identities = new Identities();
identities.update(one);
identities.update(two);

function at(engine: Engine, id: string, created: string): ContainerLocation {
  const row = { Id: id, Names: [id], Image: '', ImageID: '', Created: Math.floor(Date.parse(created) / 1000) };
  const details = parseContainerDetails({ Id: id, Name: id, Created: created, Image: '' });
  return { engine, record: { id, name: id, row, details } };
}

function ids(order: ContainerOrder): string {
  return order
    .newestFirst()
    .flat()
    .map(({ record }) => record.id)
    .join('');
}

describe('ContainerOrder', () => {
  it('has the newest first, to the nanosecond', () => {
    const order = new ContainerOrder(identities);
    order.add(at(one, 'a', '2026-01-01T00:00:00.000000001Z'));
    order.add(at(two, 'b', '2026-01-01T00:00:00.000000003Z'));
    order.add(at(one, 'c', '2026-01-01T00:00:00.000000002Z'));
    order.add(at(one, 'd', '2026-01-01T00:00:01Z'));
    assert.equal(ids(order), 'dbca');
  });

  it('orders by node and then by id what was made at the same moment', () => {
    const order = new ContainerOrder(identities);
    const moment = '2026-01-01T00:00:00.5Z';
    for (const [engine, id] of [
      [two, 'a'],
      [one, 'c'],
      [one, 'b'],
    ] as const)
      order.add(at(engine, id, moment));
    assert.equal(ids(order), 'bca');
  });

  it('puts what comes later in its place, and forgets what goes', () => {
    const order = new ContainerOrder(identities);
    const kept = ['1', '3', '5', '7'].map((id) => at(one, id, `2026-01-01T00:00:0${id}Z`));
    for (const location of kept) order.add(location);
    assert.equal(ids(order), '7531');
    for (const id of ['0', '4', '8', '9']) order.add(at(two, id, `2026-01-01T00:00:0${id}Z`));
    for (const location of kept.slice(1, 3)) order.remove(location);
    assert.equal(ids(order), '987410');
    assert.equal(ids(order), '987410');
  });

  it('does not show what came and went between two calls', () => {
    const order = new ContainerOrder(identities);
    const location = at(one, 'a', '2026-01-01T00:00:00Z');
    order.add(location);
    order.remove(location);
    assert.equal(ids(order), '');
  });

  it('leaves a list that was given out as it was', () => {
    const order = new ContainerOrder(identities);
    order.add(at(one, 'a', '2026-01-01T00:00:00Z'));
    const before = order.newestFirst().flat();
    order.add(at(one, 'b', '2026-01-01T00:00:01Z'));
    order.newestFirst();
    assert.equal(before.length, 1);
  });

  it('keeps the blocks to which nothing happened', () => {
    const order = new ContainerOrder(identities);
    const all = Array.from({ length: 1000 }, (_, index) => at(one, `${index}`, new Date(index * 1000).toISOString()));
    for (const location of all) order.add(location);
    const before = order.newestFirst();
    order.remove(all[500]!);
    order.add(at(one, 'new', new Date(300_500).toISOString()));
    const after = new Set(order.newestFirst());
    assert.equal(before.filter((block) => !after.has(block)).length, 2);
  });

  it('is the same as sorting all of it, and in few blocks, whatever comes and goes', () => {
    const random = new SeededRandom(11);
    const order = new ContainerOrder(identities);
    let all: ContainerLocation[] = [];
    for (let round = 0; round < 60; round += 1) {
      const gone = new Set(all.filter(() => random.chance(round % 10 === 9 ? 0.9 : 0.1)));
      const come = Array.from({ length: Math.floor(random.next() * 120) }, (_, index) =>
        at(
          random.chance(0.5) ? one : two,
          `${round}-${index}`,
          new Date(Math.floor(random.next() * 1e6)).toISOString(),
        ),
      );
      for (const location of gone) order.remove(location);
      for (const location of come) order.add(location);
      all = [...all.filter((location) => !gone.has(location)), ...come];
      const blocks = order.newestFirst();
      assert.deepEqual(blocks.flat(), [...all].sort(order.compare));
      assert.ok(blocks.length <= 2 + all.length / 32, `${blocks.length} blocks for ${all.length}`);
    }
  });
});
