import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parsePolicy, reschedulePolicyOf } from '../../../../src/scheduler/reschedule-policy.ts';

describe('when a container may be made anew elsewhere', () => {
  for (const [words, onNodeFailure, onDrain] of [
    [[], false, false],
    [['off'], false, false],
    [['never'], false, false],
    [['on-node-failure'], true, false],
    [['on-drain'], false, true],
    [['on-node-failure', 'on-drain'], true, true],
    [['on-drain,on-node-failure'], true, true],
  ] as const) {
    it(`is told by "${words.join('" and "')}"`, () => {
      assert.deepEqual(parsePolicy(words, []), { onNodeFailure, onDrain, dataIsDiscardable: false });
    });
  }

  for (const [words, data, expected] of [
    [['always'], [], /^invalid reschedule policy: always, expected off or never or on-node-failure or on-drain/],
    [['never', 'on-drain'], [], /^too many reschedule policies/],
    [['on-drain'], ['precious'], /^invalid data "precious": expected discardable/],
  ] as const) {
    it(`is not told by "${[...words, ...data].join('" and "')}"`, () => {
      assert.throws(() => parsePolicy(words, data), { message: expected });
    });
  }

  it('is read from labels, and one that cannot be understood stays', () => {
    const policies = 'com.docker.swarm.reschedule-policies';
    const labels = { [policies]: '["on-node-failure"]', 'com.docker.swarm.data': 'discardable' };
    assert.deepEqual(reschedulePolicyOf(labels), { onNodeFailure: true, onDrain: false, dataIsDiscardable: true });
    for (const text of ['[', '["always"]', 'always'])
      assert.equal(reschedulePolicyOf({ [policies]: text }).onNodeFailure, false);
  });
});
