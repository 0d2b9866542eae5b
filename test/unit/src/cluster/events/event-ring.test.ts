import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ClusterEvent } from '../../../../../src/cluster/events/cluster-event.ts';
import { EventRing } from '../../../../../src/cluster/events/event-ring.ts';

describe('EventRing', () => {
  it('knows whether it reaches back far enough', () => {
    const ring = new EventRing(1_000);
    assert.equal(ring.covers(999), false);
    assert.equal(ring.covers(1_000), true);
    for (let time = 1_001; time <= 2_000; time += 1) ring.push(event(time));
    assert.equal(ring.covers(1_000), false, 'the oldest were dropped');
    assert.equal(ring.covers(1_999), true);
  });

  it('gives the events between two times, both included, and holds a bounded number', () => {
    const ring = new EventRing(0);
    for (let time = 1; time <= 1_000; time += 1) ring.push(event(time));
    assert.deepEqual(
      ring.between(998, 999).map(({ timeNano }) => timeNano),
      [998, 999],
    );
    assert.ok(ring.between(0, Infinity).length < 1_000);
  });
});

function event(timeNano: number): ClusterEvent {
  const node = { Name: 'n', Id: 'i', Addr: 'a', Ip: 'p' };
  return { Type: 'container', Action: 'start', Actor: { ID: 'x' }, time: 0, timeNano, node };
}
