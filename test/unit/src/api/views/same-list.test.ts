import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { madeOncePerList } from '../../../../../src/api/views/same-list.ts';

describe('what is made once per list', () => {
  const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  const count = { calls: 0 };
  const names = madeOncePerList((items: readonly { readonly name: string }[]) => {
    count.calls += 1;
    return items.map(({ name }) => name).join('');
  });

  for (const [title, items, expected, calls] of [
    ['is made for a new list', [a, b], 'ab', 1],
    ['is kept for another list of the same', [a, b], 'ab', 1],
    ['is made for a longer list', [a, b, c], 'abc', 2],
    ['is made for other elements', [a, c, c], 'acc', 3],
    ['is kept beside that of a list that begins differently', [b], 'b', 4],
    ['is still kept', [a, c, c], 'acc', 4],
    ['is right for no elements', [], '', 5],
  ] as const) {
    it(title, () => {
      assert.equal(names(items), expected);
      assert.equal(count.calls, calls);
    });
  }
});
