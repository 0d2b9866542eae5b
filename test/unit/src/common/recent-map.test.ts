import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RecentMap } from '../../../../src/common/recent-map.ts';

describe('RecentMap', () => {
  it('forgets what was set longest ago, and counts setting anew as setting', () => {
    const map = new RecentMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    assert.deepEqual(
      [...map.entries()],
      [
        ['a', 3],
        ['c', 4],
      ],
    );
    assert.deepEqual([map.has('b'), map.get('a')], [false, 3]);
  });

  it('forgets from the oldest on, up to the first that is not past', () => {
    const map = new RecentMap<string, number>(9);
    for (const [key, value] of [
      ['a', 1],
      ['b', 2],
      ['c', 9],
      ['d', 3],
    ] as const)
      map.set(key, value);
    map.forgetWhile((value) => value < 5);
    assert.deepEqual([...map.values()], [9, 3]);
  });

  it('has room again for what is deleted', () => {
    const map = new RecentMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.delete('b');
    map.set('c', 3);
    assert.deepEqual([...map.values()], [1, 3]);
    map.clear();
    assert.deepEqual([...map.values()], []);
  });
});
