import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { planLines } from '../../../../src/scheduler/plan.ts';
import { placementRequest } from '../../../../src/scheduler/request.ts';
import { aNode } from './a-node.ts';
import { aScheduler, withRules } from './place.ts';

describe('a plan', () => {
  it('tells the choice, the scores of the others, and why each of the rest is out of the question', () => {
    const nodes = [
      aNode({ name: 'node-4', labels: { storage: 'ssd', zone: 'b' } }),
      aNode({ name: 'node-1', labels: { storage: 'disk' } }),
      aNode({ name: 'node-3', labels: { storage: 'ssd', zone: 'a' }, containers: [{}] }),
      aNode({ name: 'node-2', labels: { storage: 'ssd', zone: 'a' } }),
    ];
    const scheduler = aScheduler();
    const request = placementRequest(
      withRules('constraint:storage==ssd', 'constraint:zone==~a', 'constraint:zone==~moon'),
    );
    const placement = scheduler.place(request, nodes);
    assert.ok(placement.kind === 'placed');
    assert.deepEqual(planLines(scheduler, request, placement.decision, nodes), [
      'strategy spread: best of 2 candidates among 4 nodes',
      'given up: zone==~moon',
      '  node-1: constraint storage==ssd does not hold (storage is disk)',
      '  node-2: chosen; score 200.0 = cpu 100.0 + memory 100.0; containers 0',
      '  node-3: score 200.0 = cpu 100.0 + memory 100.0; containers 1',
      '  node-4: others are preferred by zone==~a',
    ]);
  });

  it('does without scores where the strategy has none', () => {
    const nodes = [aNode({ name: 'node-1' })];
    const scheduler = aScheduler('random', { seed: 1 });
    const placement = scheduler.place(placementRequest({}), nodes);
    assert.ok(placement.kind === 'placed');
    assert.deepEqual(planLines(scheduler, placementRequest({}), placement.decision, nodes), [
      'strategy random: best of 1 candidates among 1 nodes',
      '  node-1: chosen; possible',
    ]);
  });
});
