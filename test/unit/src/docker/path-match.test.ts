import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { pathMatches } from '../../../../src/docker/path-match.ts';

const cases: readonly { pattern: string; text: string; expected: boolean | undefined }[] = [
  { pattern: 'busybox', text: 'busybox', expected: true },
  { pattern: 'busy', text: 'busybox', expected: false },
  { pattern: 'busy*', text: 'busybox', expected: true },
  { pattern: '*', text: 'team/app', expected: false },
  { pattern: '*/*', text: 'team/app', expected: true },
  { pattern: 'b?sybox', text: 'busybox', expected: true },
  { pattern: 'a.c', text: 'abc', expected: false },
  { pattern: '[a-c]x', text: 'bx', expected: true },
  { pattern: '[^a-c]x', text: 'bx', expected: false },
  { pattern: '\\*', text: '*', expected: true },
  { pattern: '[a', text: 'a', expected: undefined },
  { pattern: 'a\\', text: 'a', expected: undefined },
];

describe('pathMatches', () => {
  for (const { pattern, text, expected } of cases) {
    it(`says ${String(expected)} for ${pattern} and ${text}`, () => {
      assert.equal(pathMatches(pattern, text), expected);
    });
  }
});
