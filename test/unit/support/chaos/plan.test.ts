import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  choicesOf,
  describeFault,
  managerNames,
  nodeNames,
  planFaults,
  storeNames,
  type Fault,
} from '../../../support/chaos/plan.ts';

const lengthMs = 300_000;
const plans = Array.from({ length: 40 }, (_, seed) => planFaults({ seed, lengthMs, betweenMs: 4_000 }));

function atOnce(plan: readonly Fault[], names: readonly string[]): number {
  const ours = plan.filter(({ target }) => names.includes(target));
  return Math.max(...ours.map(({ atMs }) => ours.filter((other) => isAt(other, atMs)).length));
}

function isAt({ atMs, forMs }: Fault, momentMs: number): boolean {
  return atMs <= momentMs && momentMs <= atMs + forMs;
}

describe('the plan of a chaos run', () => {
  it('is the same for the same seed and another one for another', () => {
    assert.deepEqual(planFaults({ seed: 7, lengthMs, betweenMs: 4_000 }), plans[7]);
    assert.notDeepEqual(plans[8], plans[7]);
  });

  it('leaves a quorum of the store, two managers and three engines alone', () => {
    for (const plan of plans) {
      assert.equal(atOnce(plan, storeNames), 1);
      assert.equal(atOnce(plan, managerNames), 1);
      assert.equal(atOnce(plan, nodeNames), 2);
    }
  });

  it('never hurts a machine that is hurt', () => {
    for (const plan of plans) {
      for (const [index, { target, atMs }] of plan.entries()) {
        const before = plan.slice(0, index).filter((other) => other.target === target);
        assert.ok(
          before.every((other) => other.atMs + other.forMs < atMs),
          describeFault(plan[index]!),
        );
      }
    }
  });

  it('has healed everything before its end', () => {
    for (const fault of plans.flat()) assert.ok(fault.atMs + fault.forMs < lengthMs, describeFault(fault));
  });

  it('knows every fault, and partitions of every direction', () => {
    const all = plans.flat();
    assert.equal(new Set(all.map(({ kind }) => kind)).size, 16);
    const partitions = all.filter(({ kind }) => kind.startsWith('partition'));
    assert.deepEqual(new Set(partitions.map(({ lost }) => lost)), new Set(['both', 'sent', 'received']));
    assert.ok(partitions.every(({ against, target }) => against.length > 0 && !against.includes(target)));
  });

  it('gives each client the same choices again', () => {
    const first = choicesOf(3, 1);
    const second = choicesOf(3, 1);
    const other = choicesOf(3, 2);
    const some = Array.from({ length: 50 }, () => first.next().value);
    assert.deepEqual(
      Array.from({ length: 50 }, () => second.next().value),
      some,
    );
    assert.notDeepEqual(
      Array.from({ length: 50 }, () => other.next().value),
      some,
    );
  });
});
