import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { latestOf } from '../../../../discovery/consul/latest-of.ts';

class Source {
  readonly #give: ((value: string) => void)[] = [];
  readonly #fail: ((error: Error) => void)[] = [];

  async *values(): AsyncGenerator<string, void> {
    for (;;) {
      yield await new Promise<string>((resolve, reject) => {
        this.#give.push(resolve);
        this.#fail.push(reject);
      });
    }
  }

  give(value: string): void {
    this.#fail.shift();
    this.#give.shift()?.(value);
  }

  fail(): void {
    this.#fail.shift()?.(new Error('the source failed'));
  }
}

describe('the latest values of several sources', () => {
  it('begin when all have given one, and follow each', async () => {
    const [left, right] = [new Source(), new Source()];
    const latest = latestOf([left.values(), right.values()]);
    const first = latest.next();

    right.give('b');
    left.give('a');
    assert.deepEqual((await first).value, ['a', 'b']);
    const second = latest.next();
    right.give('c');
    assert.deepEqual((await second).value, ['a', 'c']);
  });

  it('end with the failure of any of them, though nobody asks the others any more', async () => {
    const [left, right] = [new Source(), new Source()];
    const latest = latestOf([left.values(), right.values()]);
    const first = latest.next();

    left.fail();
    await assert.rejects(first, /the source failed/);
    right.fail();
  });
});
