import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'mocha';
import { aborted } from '../../../../src/common/abort.ts';
import { Deadline, DeadlineExceeded } from '../../../../src/common/deadline.ts';

/** Of this process, which was started without a way to ask for it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}

describe('a deadline', () => {
  it('comes though garbage was collected meanwhile', async () => {
    const { signal } = new Deadline(30, [new AbortController().signal]);
    collectGarbage();
    await aborted(signal);
    assert.ok(signal.reason instanceof DeadlineExceeded);
  });

  it('ends with the reason of the first source that aborts, also of one that has', async () => {
    const late = new AbortController();
    const deadline = new Deadline(60_000, [late.signal]);
    late.abort(new Error('gone'));
    await aborted(deadline.signal);
    const after = new Deadline(60_000, [late.signal]);
    for (const one of [deadline, after]) {
      assert.equal(one.signal.reason, late.signal.reason);
      one.clear();
    }
  });

  it('leaves nothing behind when it is cleared', () => {
    const source = new AbortController();
    const deadline = new Deadline(60_000, [source.signal]);
    deadline.clear();
    source.abort();
    assert.equal(deadline.signal.aborted, false);
  });
});
