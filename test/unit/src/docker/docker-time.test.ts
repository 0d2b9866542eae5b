import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  formatRfc3339,
  formatUnixTimestamp,
  parseRfc3339,
  parseTimeMs,
  parseTimestamp,
  parseUnixTimestamp,
} from '../../../../src/docker/docker-time.ts';

const january = 1_704_067_200n * 1_000_000_000n;

describe('unix timestamps', () => {
  for (const [text, expected] of [
    ['1704067200', january],
    ['1704067200.000000001', january + 1n],
    ['1704067200.5', january + 500_000_000n],
    ['0', 0n],
    ['', undefined],
    ['1.0000000001', undefined],
    ['10m', undefined],
    ['abc', undefined],
  ] as const) {
    it(`read "${text}" as ${String(expected)}`, () => {
      assert.equal(parseUnixTimestamp(text), expected);
    });
  }

  it('are written with nine digits and read back', () => {
    for (const ns of [0n, 1n, january + 42n, 999_999_999n]) {
      assert.equal(parseUnixTimestamp(formatUnixTimestamp(ns)), ns);
    }
    assert.equal(formatUnixTimestamp(january + 42n), '1704067200.000000042');
  });
});

describe('RFC 3339 times', () => {
  for (const [text, expected] of [
    ['2024-01-01T00:00:00Z', january],
    ['2024-01-01T00:00:00.123456789Z', january + 123_456_789n],
    ['2024-01-01T01:00:00+01:00', january],
    ['2024-01-01', january],
    ['2024-01-01T00:00', january],
    ['2024-13-01', undefined],
    ['yesterday', undefined],
  ] as const) {
    it(`read ${text} as ${String(expected)}`, () => {
      assert.equal(parseRfc3339(text), expected);
    });
  }

  it('are written as the engine writes them', () => {
    assert.equal(formatRfc3339(january), '2024-01-01T00:00:00Z');
    assert.equal(formatRfc3339(january + 120_000_000n), '2024-01-01T00:00:00.12Z');
  });

  it("know Go's zero time as absent", () => {
    assert.equal(parseTimeMs('0001-01-01T00:00:00Z'), undefined);
    assert.equal(parseTimeMs(undefined), undefined);
    assert.equal(parseTimeMs('2024-01-01T00:00:00.5Z'), 1_704_067_200_500);
  });
});

describe('times of since and until', () => {
  for (const [text, expected] of [
    ['10m', january - 600_000_000_000n],
    ['1704067200.5', january + 500_000_000n],
    ['0', 0n],
    ['2024-01-01', january],
    ['soon', undefined],
  ] as const) {
    it(`read ${text} as ${String(expected)}`, () => {
      assert.equal(parseTimestamp(text, 1_704_067_200_000), expected);
    });
  }
});
