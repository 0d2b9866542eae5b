import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  formatRecord,
  freeFromMs,
  leaseEndMs,
  leaseOf,
  parseRecord,
  renewalMs,
  type LeaderRecord,
} from '../../../discovery/lease.ts';

const record: LeaderRecord = {
  holder: 'a',
  address: '10.0.0.1:2375',
  term: 3,
  leaseMs: 10_000,
  beat: 7,
  isReleased: false,
};

describe('a lease', () => {
  const delays = [0, 1, 50, 2_000, 60_000];
  for (const seenAfterMs of delays) {
    it(`ends for its holder before it is free to others who saw it ${seenAfterMs} ms after it was asked for`, () => {
      for (const leaseMs of [100, 1_000, 10_000, 60_000]) {
        const sentMs = 5_000;
        const ends = leaseEndMs(sentMs, leaseMs);
        const free = freeFromMs({ record: { ...record, leaseMs }, atMs: sentMs + seenAfterMs });
        assert.ok(free - ends >= leaseMs / 10, `${free} and ${ends}`);
      }
    });
  }

  it('is renewed three times before it ends, and free to others within the time to live', () => {
    const leaseMs = leaseOf(20_000);
    assert.ok(3 * renewalMs(leaseMs) < leaseMs);
    assert.ok(freeFromMs({ record: { ...record, leaseMs }, atMs: 0 }) < 20_000);
  });

  it('is free at once when it was handed over', () => {
    assert.ok(freeFromMs({ record: { ...record, isReleased: true }, atMs: 1e9 }) < 0);
  });

  it('is read as it was written', () => {
    assert.deepEqual(parseRecord(formatRecord(record)), record);
  });

  for (const text of [
    '',
    'null',
    '[]',
    '"x"',
    '{}',
    '10.0.0.1:2375',
    '{"holder":"a","address":"b","term":1.5,"leaseMs":1}',
  ]) {
    it(`is none in ${JSON.stringify(text)}`, () => {
      assert.equal(parseRecord(text), undefined);
    });
  }
});
