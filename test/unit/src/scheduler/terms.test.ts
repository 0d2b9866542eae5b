import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ApiError } from '../../../../src/common/errors.ts';
import type { CreateBody } from '../../../../src/docker/types.ts';
import { withoutExpressions } from '../../../../src/scheduler/request.ts';
import { termsOf } from '../../../../src/scheduler/terms.ts';

describe('the terms of a create', () => {
  const none = { isDryRun: false, waitMs: 0 };
  const cases: readonly { readonly title: string; readonly body: CreateBody; readonly expected: object }[] = [
    { title: 'are none of its own without rules', body: {}, expected: none },
    { title: 'ask for a plan', body: { Env: ['dryrun:true'] }, expected: { ...none, isDryRun: true } },
    { title: 'do not ask for a plan', body: { Env: ['dryrun:false'] }, expected: none },
    {
      title: 'ask for a plan in a label, as a list or bare',
      body: { Labels: { 'com.docker.swarm.dryrun': '["true"]' } },
      expected: { ...none, isDryRun: true },
    },
    {
      title: 'ask for a plan in a bare label',
      body: { Labels: { 'com.docker.swarm.dryrun': 'true' } },
      expected: { ...none, isDryRun: true },
    },
    { title: 'hold the create for a while', body: { Env: ['wait:1m30s'] }, expected: { ...none, waitMs: 90_000 } },
    {
      title: 'hold the create by a bare label',
      body: { Labels: { 'com.docker.swarm.wait': '5m' } },
      expected: { ...none, waitMs: 300_000 },
    },
    {
      title: 'are those written last',
      body: { Env: ['wait:1m', 'wait:2s'], Labels: { 'com.docker.swarm.wait': '["3m"]' } },
      expected: { ...none, waitMs: 2_000 },
    },
  ];
  for (const { title, body, expected } of cases) {
    it(title, () => {
      assert.deepEqual(termsOf(body), expected);
    });
  }

  for (const rule of ['dryrun:maybe', 'dryrun:', 'wait:5', 'wait:-1s', 'wait:25h', 'wait:soon']) {
    it(`are refused when they make no sense: ${rule}`, () => {
      assert.throws(
        () => termsOf({ Env: [rule] }),
        (error) => error instanceof ApiError && error.status === 400 && error.message.includes('expected'),
      );
    });
  }

  it('are kept from the engine', () => {
    const body = withoutExpressions({ Env: ['wait:5m', 'A=b'] });
    assert.deepEqual(body['Env'], ['A=b']);
    assert.deepEqual(body['Labels'], { 'com.docker.swarm.wait': '["5m"]' });
  });
});
