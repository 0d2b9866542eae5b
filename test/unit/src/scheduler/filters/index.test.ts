import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { openFilters } from '../../../../../src/scheduler/filters/index.ts';
import { filterNames } from '../../../../../src/scheduler/filters/names.ts';
import { placementRequest } from '../../../../../src/scheduler/request.ts';
import { Scheduler } from '../../../../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../../../../src/scheduler/strategies/index.ts';
import { aNode } from '../a-node.ts';
import { withRules } from '../place.ts';

describe('the choice of filters', () => {
  const names = (chosen: readonly string[]): readonly string[] => openFilters(chosen).map(({ name }) => name);

  it('is all of them in their order when none is named', () => {
    assert.deepEqual(names([]).slice(0, filterNames.length), filterNames);
  });

  it('keeps the order in which they are named, each once, and the ones that always apply', () => {
    const chosen = names(['constraint', 'port', 'constraint', 'resources']);
    assert.deepEqual(chosen.slice(0, 3), ['constraint', 'port', 'resources']);
    assert.ok(!chosen.includes('health'));
    for (const standing of ['resources', 'volumes', 'networks', 'apiversion', 'platform', 'devices']) {
      assert.equal(chosen.filter((name) => name === standing).length, 1, standing);
    }
  });

  it('refuses an unknown name and lists the known ones', () => {
    assert.throws(() => openFilters(['bogus']), /unknown filter "bogus": expected one of health, port, containerslots/);
  });

  it('that leaves one out does without its rules', () => {
    const scheduler = new Scheduler({ filters: openFilters(['health']), strategy: openStrategy('spread') });
    const placement = scheduler.place(placementRequest(withRules('constraint:storage==ssd')), [aNode()]);
    assert.equal(placement.kind, 'placed');
  });
});
