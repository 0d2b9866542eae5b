import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Brake } from '../../../../../src/cluster/reschedule/brake.ts';

function lost(count: number): ReadonlySet<string> {
  return new Set(Array.from({ length: count }, (_, index) => `n${index + 1}`));
}

describe('the brake', () => {
  for (const { members, gone, frozen } of [
    { members: 3, gone: 1, frozen: 0 },
    { members: 3, gone: 2, frozen: 2 },
    { members: 10, gone: 3, frozen: 0 },
    { members: 10, gone: 4, frozen: 4 },
    { members: 1, gone: 1, frozen: 0 },
    { members: 100, gone: 31, frozen: 31 },
  ]) {
    it(`freezes ${frozen} when ${gone} of ${members} vanish at once`, () => {
      const brake = new Brake();
      assert.equal(brake.update(lost(gone), members, 0).length, frozen);
      assert.equal(brake.isFrozen('n1'), frozen > 0);
    });
  }

  it('counts those that vanish within a minute, and not those before', () => {
    const brake = new Brake();
    assert.deepEqual(brake.update(lost(1), 5, 0), []);
    assert.deepEqual(brake.update(lost(2), 5, 61_000), []);
    assert.deepEqual(brake.update(lost(3), 5, 100_000), ['n2', 'n3']);
    assert.deepEqual([brake.isFrozen('n1'), brake.isFrozen('n2')], [false, true]);
  });

  it('keeps each node frozen until it is back, and tells of it once', () => {
    const brake = new Brake();
    assert.deepEqual(brake.update(lost(2), 4, 0), ['n1', 'n2']);
    assert.deepEqual(brake.update(lost(2), 4, 300_000), []);
    assert.deepEqual(brake.update(new Set(['n2']), 4, 300_000), []);
    assert.deepEqual([brake.isFrozen('n1'), brake.isFrozen('n2')], [false, true]);
    assert.deepEqual([brake.lostForMs('n1', 400_000), brake.lostForMs('n2', 400_000)], [undefined, 400_000]);
  });
});
