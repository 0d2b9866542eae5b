import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ApiError } from '../../../../src/common/errors.ts';
import { Health, IncompatibleEngine } from '../../../../src/engine/health.ts';
import { EngineUnreachable } from '../../../../src/engine/unreachable.ts';

const refused = new EngineUnreachable('node-1', 'not-sent', new Error('connect ECONNREFUSED'));
const silent = new EngineUnreachable('node-1', 'timeout', new Error('no answer within 3 ms'));
const cut = new EngineUnreachable('node-1', 'cut', new Error('the answer was cut off'));
const broken = new ApiError(500, 'out of order');

type Step = (health: Health) => void;
const current: Step = (health) => {
  health.becameCurrent();
};
const answered: Step = (health) => {
  health.probeSucceeded();
};
const failed: Step = (health) => {
  health.probeFailed(refused);
};
const readFailed =
  (error: unknown): Step =>
  (health) => {
    health.readFailed(error);
  };

describe('the health of an engine', () => {
  for (const { title, steps, verdict, lastError } of [
    { title: 'is undecided at first', steps: [], verdict: 'undecided', lastError: undefined },
    {
      title: 'is undecided while it only answers probes',
      steps: [answered],
      verdict: 'undecided',
      lastError: undefined,
    },
    { title: 'is good when all has been read', steps: [current], verdict: 'healthy', lastError: undefined },
    {
      title: 'is undecided after one failed probe',
      steps: [current, failed],
      verdict: 'undecided',
      lastError: 'connect ECONNREFUSED',
    },
    {
      title: 'is bad after three failed probes',
      steps: [current, failed, failed, failed],
      verdict: 'unhealthy',
      lastError: 'connect ECONNREFUSED',
    },
    {
      title: 'is good again after an answer in between',
      steps: [current, failed, failed, answered, failed, answered],
      verdict: 'healthy',
      lastError: undefined,
    },
    {
      title: 'does not suffer from refused connections alone',
      steps: Array.from({ length: 9 }, () => readFailed(refused)),
      verdict: 'undecided',
      lastError: 'connect ECONNREFUSED',
    },
    {
      title: 'is bad at once when a list stays unanswered',
      steps: [current, readFailed(silent)],
      verdict: 'unhealthy',
      lastError: 'no answer within 3 ms',
    },
    {
      title: 'is bad at once without a common version',
      steps: [readFailed(new IncompatibleEngine('too new'))],
      verdict: 'unhealthy',
      lastError: 'too new',
    },
    {
      title: 'is bad after three errors in a row',
      steps: [current, readFailed(broken), readFailed(broken), readFailed(broken)],
      verdict: 'unhealthy',
      lastError: 'out of order',
    },
    {
      title: 'is bad when the connection breaks three times before all is read',
      steps: [current, readFailed(cut), answered, readFailed(cut), answered, readFailed(cut)],
      verdict: 'unhealthy',
      lastError: 'the answer was cut off',
    },
    {
      title: 'does not suffer from a connection that breaks again and again after all was read',
      steps: [current, readFailed(cut), current, readFailed(cut), current, readFailed(cut), current],
      verdict: 'healthy',
      lastError: undefined,
    },
    {
      title: 'is good again when all could be read',
      steps: [current, readFailed(silent), current],
      verdict: 'healthy',
      lastError: undefined,
    },
    {
      title: 'keeps the reason while probes succeed and reading fails',
      steps: [readFailed(broken), answered],
      verdict: 'undecided',
      lastError: 'out of order',
    },
  ] satisfies readonly { title: string; steps: readonly Step[]; verdict: string; lastError: string | undefined }[]) {
    it(title, () => {
      const health = new Health(3);
      for (const step of steps) step(health);
      assert.equal(health.verdict, verdict);
      assert.equal(health.lastError, lastError);
    });
  }
});
