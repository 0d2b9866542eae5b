import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { statusHoldsUntilMs, statusText, type StatusFacts } from '../../../../src/docker/status-text.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { formatBytes, formatDecimalBytes, formatSpan, nextSpanMs } from '../../../../src/docker/units.ts';

const now = 1_704_067_200_000;
const minutes = 60_000;
const hours = 60 * minutes;
const days = 24 * hours;

describe('spans', () => {
  for (const [ms, expected] of [
    [-5000, 'Less than a second'],
    [999, 'Less than a second'],
    [1000, '1 second'],
    [59_999, '59 seconds'],
    [60_000, 'About a minute'],
    [2 * minutes, '2 minutes'],
    [59.9 * minutes, '59 minutes'],
    [60 * minutes, 'About an hour'],
    [89 * minutes, 'About an hour'],
    [90 * minutes, '2 hours'],
    [47 * hours, '47 hours'],
    [48 * hours, '2 days'],
    [13 * days, '13 days'],
    [14 * days, '2 weeks'],
    [59 * days, '8 weeks'],
    [60 * days, '2 months'],
    [729 * days, '24 months'],
    [730 * days, '2 years'],
  ] as const) {
    it(`words ${ms} ms as "${expected}"`, () => {
      assert.equal(formatSpan(ms), expected);
    });
  }
});

describe('the next span', () => {
  it('is worded differently at the earliest there', () => {
    const random = new SeededRandom(7);
    for (let count = 0; count < 20_000; count += 1) {
      const ms = Math.floor((random.next() - 0.01) * 10 ** (3 + random.next() * 9));
      const next = nextSpanMs(ms);
      assert.ok(next > ms);
      assert.equal(formatSpan(next - 1), formatSpan(ms), `${ms}`);
    }
  });
});

describe('sizes', () => {
  for (const [bytes, binary, decimal] of [
    [0, '0B', '0B'],
    [1023, '1023B', '1.023kB'],
    [1024, '1KiB', '1.024kB'],
    [1_610_612_736, '1.5GiB', '1.611GB'],
    [999_999, '976.6KiB', '1000kB'],
    [2_252_321_161, '2.098GiB', '2.252GB'],
  ] as const) {
    it(`words ${bytes} bytes as ${binary} and ${decimal}`, () => {
      assert.equal(formatBytes(bytes), binary);
      assert.equal(formatDecimalBytes(bytes), decimal);
    });
  }
});

describe('the status of a container', () => {
  const facts: StatusFacts = {
    state: 'running',
    exitCode: 0,
    startedAtMs: now - 5 * minutes,
    finishedAtMs: undefined,
    health: undefined,
  };
  const cases: readonly { readonly change: Partial<StatusFacts>; readonly expected: string }[] = [
    { change: {}, expected: 'Up 5 minutes' },
    { change: { health: 'none' }, expected: 'Up 5 minutes' },
    { change: { health: 'starting' }, expected: 'Up 5 minutes (health: starting)' },
    { change: { health: 'healthy' }, expected: 'Up 5 minutes (healthy)' },
    { change: { health: 'unhealthy' }, expected: 'Up 5 minutes (unhealthy)' },
    { change: { state: 'paused', health: 'healthy' }, expected: 'Up 5 minutes (Paused)' },
    {
      change: { state: 'restarting', exitCode: 1, finishedAtMs: now - 3000 },
      expected: 'Restarting (1) 3 seconds ago',
    },
    { change: { state: 'exited', exitCode: 137, finishedAtMs: now - 3 * hours }, expected: 'Exited (137) 3 hours ago' },
    { change: { state: 'exited' }, expected: '' },
    { change: { state: 'created', startedAtMs: undefined }, expected: 'Created' },
    { change: { state: 'removing' }, expected: 'Removal In Progress' },
    { change: { state: 'dead' }, expected: 'Dead' },
    { change: { startedAtMs: now + 2000 }, expected: 'Up Less than a second' },
  ];
  for (const { change, expected } of cases) {
    it(`is "${expected}" for ${JSON.stringify(change)}`, () => {
      assert.equal(statusText({ ...facts, ...change }, now), expected);
    });

    it(`stays "${expected}" until it is said to change`, () => {
      const until = statusHoldsUntilMs({ ...facts, ...change }, now);
      assert.ok(until > now);
      assert.equal(statusText({ ...facts, ...change }, Math.min(until - 1, now + 100 * days)), expected);
    });
  }
});
