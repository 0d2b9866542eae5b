import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { waitResult } from '../../../../../src/api/views/wait-result.ts';

const failed = Buffer.from('{"StatusCode":0,"Error":{"Message":"device is busy"}}\n');
const fine = Buffer.from('{"Error":null,"StatusCode":3}\n');

describe('the result of a wait', () => {
  for (const [version, condition, result, expected] of [
    ['1.33', 'removed', failed, Buffer.alloc(0)],
    ['1.34', 'removed', failed, failed],
    ['1.33', 'removed', fine, fine],
    ['1.33', 'next-exit', failed, failed],
    ['1.33', 'removed', Buffer.alloc(0), Buffer.alloc(0)],
  ] as const) {
    it(`for ${condition} at ${version} is ${expected.length === 0 ? 'nothing' : "the engine's"}: ${result.toString().trim()}`, () => {
      assert.deepEqual(waitResult(result, { version, condition }), expected);
    });
  }
});
