import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { KeyIndex } from '../../../../../src/cluster/index/key-index.ts';

describe('KeyIndex', () => {
  it('keeps several values of a key in the order they came', () => {
    const index = new KeyIndex<number>();
    index.add('a', 1);
    index.add('a', 2);
    assert.deepEqual(index.get('a'), [1, 2]);
    index.remove('a', 1);
    assert.deepEqual(index.get('a'), [2]);
    index.remove('a', 7);
    assert.deepEqual(index.get('a'), [2]);
    assert.deepEqual(index.get('b'), []);
  });

  it('finds keys by their beginning, before and after changes, as a plain scan would', () => {
    const index = new KeyIndex<string>();
    const keys = new Set<string>();
    let seed = 1;
    const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
    for (let step = 0; step < 3_000; step += 1) {
      const key = (next() % 4_096).toString(16).padStart(3, '0');
      if (next() % 3 === 0) {
        keys.delete(key);
        index.remove(key, key);
      } else if (!keys.has(key)) {
        keys.add(key);
        index.add(key, key);
      }
      const prefix = (next() % 256).toString(16);
      const expected = [...keys].filter((one) => one.startsWith(prefix)).sort();
      assert.deepEqual(index.startingWith(prefix, 10_000), expected);
      assert.deepEqual(index.startingWith(prefix, 2), expected.slice(0, 2));
    }
  });

  it('finds every key for the empty beginning and none beyond the last', () => {
    const index = new KeyIndex<number>();
    for (const key of ['c', 'a', 'b']) index.add(key, 0);
    assert.deepEqual(index.startingWith('', 9), ['a', 'b', 'c']);
    assert.deepEqual(index.startingWith('d', 9), []);
  });

  it('replaces one of the values of a key, and keeps the key', () => {
    const index = new KeyIndex<number>();
    for (const value of [1, 2, 3]) index.add('a', value);
    index.add('b', 4);
    index.replace('a', 2, 5);
    index.replace('b', 4, 6);
    index.replace('c', 7, 8);
    assert.deepEqual([...index.get('a')].sort(), [1, 3, 5]);
    assert.deepEqual([index.get('b'), index.get('c')], [[6], [8]]);
    assert.deepEqual(index.startingWith('', 9), ['a', 'b', 'c']);
  });

  it('finds keys by their beginning among very many, while they come and go', () => {
    const index = new KeyIndex<number>();
    const keys = Array.from({ length: 5_000 }, (_, number) => ((number * 48_271) % 65_536).toString(16));
    for (const key of keys.slice(0, 1_500)) index.add(key, 0);
    assert.equal(index.startingWith('', 9_999).length, 1_500);
    for (const key of keys.slice(1_500)) index.add(key, 0);
    assert.deepEqual(index.startingWith('', 9_999), [...keys].sort());
    for (const key of keys.slice(0, 4_990)) index.remove(key, 0);
    assert.deepEqual(index.startingWith('', 9_999), keys.slice(4_990).sort());
    for (const key of keys.slice(4_990)) index.remove(key, 0);
    assert.deepEqual(index.startingWith('', 1), []);
    index.add('a', 0);
    assert.deepEqual(index.startingWith('', 1), ['a']);
  });
});
