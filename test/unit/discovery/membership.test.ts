import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Membership } from '../../../discovery/membership.ts';

const a = { address: 'a:1', alive: true };
const b = { address: 'b:1', alive: true };

describe('the newest membership', () => {
  it('is yielded to a follower that comes late, then each change', async () => {
    const membership = new Membership();
    const stop = new AbortController();
    membership.replace([a]);
    const sets = membership.follow(stop.signal);

    assert.deepEqual((await sets.next()).value, [a]);
    const second = sets.next();
    membership.replace([b, a]);
    assert.deepEqual((await second).value, [a, b]);
    stop.abort();
    assert.equal((await sets.next()).done, true);
  });

  it('is waited for when there is none yet', async () => {
    const membership = new Membership();
    const stop = new AbortController();
    const first = membership.follow(stop.signal).next();

    membership.replace([]);

    assert.deepEqual((await first).value, []);
    stop.abort();
  });

  it('wakes nobody when it says the same again', async () => {
    const membership = new Membership();
    const stop = new AbortController();
    membership.replace([a, b]);
    const sets = membership.follow(stop.signal);
    await sets.next();

    const next = sets.next();
    membership.replace([b, a]);
    stop.abort();

    assert.equal((await next).done, true);
  });

  it('skips what a slow follower missed', async () => {
    const membership = new Membership();
    const stop = new AbortController();
    const sets = membership.follow(stop.signal);
    membership.replace([a]);
    await sets.next();

    membership.replace([]);
    membership.replace([b]);

    assert.deepEqual((await sets.next()).value, [b]);
    stop.abort();
  });

  it('ends for all followers when their signal aborts while they wait', async () => {
    const membership = new Membership();
    const stop = new AbortController();
    const waiting = [membership.follow(stop.signal).next(), membership.follow(stop.signal).next()];

    stop.abort();

    assert.deepEqual(
      (await Promise.all(waiting)).map((result) => result.done),
      [true, true],
    );
  });
});
