import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { Election } from '../../../discovery/election.ts';
import { parseRecord } from '../../../discovery/lease.ts';
import { createSilentLogger } from '../../../src/common/logger.ts';
import { MemoryLeaderStore, MemoryLeaderText } from '../../support/memory-leader-store.ts';
import { until } from '../../support/until.ts';

interface Runner {
  readonly election: Election;
  readonly store: MemoryLeaderStore;
}

describe('an election', () => {
  const leaseMs = 200;
  let text = new MemoryLeaderText();
  let runners: Runner[] = [];

  function run(count: number): readonly Runner[] {
    text = new MemoryLeaderText();
    runners = Array.from({ length: count }, (_, index) => enter(`10.0.0.${index + 1}:2375`));
    return runners;
  }

  function enter(address: string): Runner {
    const store = new MemoryLeaderStore(text);
    const election = new Election({ store, address, leaseMs, logger: createSilentLogger() });
    election.start();
    return { election, store };
  }

  afterEach(async () => {
    await Promise.all(runners.map(({ election }) => election.stop()));
  });

  /** The only one that may write. */
  async function primaryOf(some: readonly Runner[] = runners): Promise<Runner> {
    return await until('there is a primary', () => {
      const writers = runners.filter(({ election }) => election.mayWrite());
      assert.ok(writers.length < 2, 'two may write');
      return writers.find((runner) => some.includes(runner));
    });
  }

  function others(primary: Runner): readonly Runner[] {
    return runners.filter((runner) => runner !== primary);
  }

  it('has one primary, whom all others know', async () => {
    run(3);
    const primary = await primaryOf();
    const address = parseRecord(text.current.text)?.address;
    for (const { election } of others(primary)) {
      await until('it knows the primary', () => election.primary()?.address === address);
      assert.equal(election.isPrimary(), false);
    }
    assert.equal(primary.election.primary(), undefined);
  });

  it('is decided anew at once when the primary hands over, and tells nobody that it was lost', async () => {
    run(3);
    const first = await primaryOf();
    const [replica] = others(first);
    const known = await until('it knows the primary', () => replica!.election.primary());

    await first.election.stop();
    const second = await primaryOf(others(first));

    assert.equal(second.election.term(), known.term + 1);
    assert.equal(known.lost.aborted, false);
    assert.equal(first.election.mayWrite(), false);
  });

  it('lets the calls under way of a primary that retires write until it hands over', async () => {
    run(2);
    const first = await primaryOf();
    first.election.retire();
    assert.equal(first.election.isPrimary(), false);
    assert.equal(first.election.mayWrite(), true);
    const { version } = text.current;
    await until('its lease is renewed', () => text.current.version > version + 1);
    assert.equal(first.election.mayWrite(), true);
  });

  it('takes the right to write from a primary without the store before anybody else gets it', async () => {
    run(3);
    const first = await primaryOf();
    const [replica] = others(first);
    const known = await until('it knows the primary', () => replica!.election.primary());
    let told = 0;
    first.election.subscribe(() => (told += 1));

    first.store.isCut = true;
    await until('it may not write any more', () => !first.election.mayWrite());
    const second = await primaryOf(others(first));

    assert.notEqual(second, first);
    assert.ok(told > 0);
    await until('the first is called lost', () => known.lost.aborted || second === replica);
    first.store.isCut = false;
    await until('the first knows the second', () => first.election.primary()?.term === known.term + 1);
    assert.equal(first.election.mayWrite(), false);
  });

  it('replaces a primary that is lost also where the store fails whoever waits for news', async () => {
    run(2);
    const first = await primaryOf();
    const [replica] = others(first);
    await until('it knows the primary', () => replica!.election.primary());

    replica!.store.failsWaits = true;
    first.store.isCut = true;
    assert.equal(await primaryOf([replica!]), replica);
    first.store.isCut = false;
  });

  it('leaves the primary in office when nobody reaches the store for a moment', async () => {
    run(3);
    const primary = await primaryOf();
    const term = primary.election.term();
    for (const { store } of runners) store.isCut = true;
    await until('the lease has run out', () => !primary.election.mayWrite());
    for (const { store } of runners) store.isCut = false;
    assert.equal((await primaryOf()).election.term() >= term, true);
  });

  it('goes on when answers of the store are lost, with what was written', async () => {
    run(2);
    const first = await primaryOf();
    first.store.losesAnswers = true;
    await until('it may not write any more', () => !first.election.mayWrite());
    first.store.losesAnswers = false;
    await primaryOf();
  });

  it('keeps its primary when the store forgets everything', async () => {
    run(3);
    const primary = await primaryOf();
    const term = primary.election.term();
    for (const { election } of others(primary)) await until('it knows the primary', () => election.primary());
    text.wipe();
    await until('it is written again', () => text.current.version > 0);
    assert.equal(parseRecord(text.current.text)?.term, term);
    assert.equal(await primaryOf(), primary);
  });

  it('overwrites what no manager wrote', async () => {
    text = new MemoryLeaderText();
    text.write('10.0.0.9:2375', 0);
    runners = [enter('10.0.0.1:2375')];
    await primaryOf();
  });
});
