import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { aborted } from '../../../src/common/abort.ts';
import { followStore } from '../../../discovery/follow-store.ts';
import type { StoreView } from '../../../discovery/store-view.ts';
import { TroubleLog } from '../../../discovery/trouble-log.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const view = (...addresses: string[]): StoreView => ({
  announced: addresses.map((address) => ({ address, alive: true })),
  withdrawn: new Set(),
});

type Reading = readonly (StoreView | Error)[];

/** A store whose readings are scripted: each gives its views, then fails or waits for its end. */
class ScriptedStore {
  readonly warnings: string[] = [];
  readonly trouble = new TroubleLog(recordingLogger(this.warnings), 'the store');
  readonly #readings: Reading[];
  failures = 0;

  constructor(...readings: Reading[]) {
    this.#readings = readings;
  }

  get server(): string {
    return `server ${this.failures}`;
  }

  async *views(signal: AbortSignal): AsyncGenerator<StoreView> {
    for (const step of this.#readings.shift() ?? []) {
      if (step instanceof Error) throw step;
      yield step;
    }
    await aborted(signal);
    signal.throwIfAborted();
  }

  failed(): void {
    this.failures += 1;
  }
}

describe('a store that is followed', () => {
  it('is read again after a failure, which shows only as the time since when it is silent', async () => {
    const store = new ScriptedStore([view('a:1'), new Error('refused')], [view('a:1'), view('a:1', 'b:1')]);
    const stop = new AbortController();
    const sets = followStore(store, store.trouble, stop.signal);

    assert.deepEqual((await sets.next()).value, [{ address: 'a:1', alive: true }]);
    assert.deepEqual((await sets.next()).value, [
      { address: 'a:1', alive: true },
      { address: 'b:1', alive: true },
    ]);
    assert.equal(store.failures, 1);
    assert.match(store.warnings.join(), /does not answer .*server 0.*refused/);
    assert.equal(store.trouble.since, undefined);
    stop.abort();
    assert.equal((await sets.next()).done, true);
  });

  it('says since when it is silent', async () => {
    const store = new ScriptedStore([new Error('refused')], [new Error('refused')]);
    const stop = new AbortController();
    const end = followStore(store, store.trouble, stop.signal).next();
    while (store.failures < 2) await new Promise(setImmediate);

    const { since } = store.trouble;
    assert.ok(since !== undefined && Date.now() - since.getTime() < 60_000);
    stop.abort();
    assert.equal((await end).done, true);
  });

  it('yields nothing when a new answer says the same', async () => {
    const store = new ScriptedStore([view('a:1'), view('a:1'), view('b:1')]);
    const stop = new AbortController();
    const sets = followStore(store, store.trouble, stop.signal);

    await sets.next();
    assert.deepEqual((await sets.next()).value, [
      { address: 'a:1', alive: false, missing: true },
      { address: 'b:1', alive: true },
    ]);
    stop.abort();
    await sets.next();
  });
});
