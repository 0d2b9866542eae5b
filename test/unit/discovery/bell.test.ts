import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Bell } from '../../../discovery/bell.ts';

describe('a bell', () => {
  it('wakes whoever waits, and whoever comes after it rang', async () => {
    const bell = new Bell();
    const waiting = bell.rung();
    bell.ring();
    await waiting;

    bell.ring();
    bell.ring();
    await bell.rung();
  });

  it('counts several rings before somebody waits as one', async () => {
    const bell = new Bell();
    bell.ring();
    bell.ring();
    await bell.rung();
    const second = bell.rung().then(() => 'woken');

    assert.equal(await Promise.race([second, new Promise((resolve) => setImmediate(resolve, 'asleep'))]), 'asleep');
    bell.ring();
    assert.equal(await second, 'woken');
  });

  it('fails its waiter, now or later, and nobody else', async () => {
    const bell = new Bell();
    const waiting = assert.rejects(bell.rung(), /gone/);
    bell.fail(new Error('gone'));
    await waiting;
    await assert.rejects(bell.rung(), /gone/);

    new Bell().fail(new Error('nobody waits'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
