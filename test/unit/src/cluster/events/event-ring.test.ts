import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ClusterEvent } from '../../../../../src/cluster/events/cluster-event.ts';
import { EventMemory, EventRing } from '../../../../../src/cluster/events/event-ring.ts';

describe('EventRing', () => {
  it('knows whether it reaches back far enough', () => {
    const ring = new EventRing(new EventMemory(256), 1_000);
    assert.equal(ring.covers(999), false);
    assert.equal(ring.covers(1_000), true);
    for (let time = 1_001; time <= 2_000; time += 1) ring.push(event(time));
    assert.equal(ring.covers(1_000), false, 'the oldest were dropped');
    assert.equal(ring.covers(1_999), true);
  });

  it('gives way to the newer events of others', () => {
    const memory = new EventMemory(256);
    const [quiet, busy] = [new EventRing(memory, 0), new EventRing(memory, 0)];
    quiet.push(event(1));
    quiet.push(event(2));
    for (let time = 3; time <= 257; time += 1) busy.push(event(time));
    assert.deepEqual(times(quiet.between(0, Infinity)), [2]);
    assert.equal(quiet.covers(2), false, 'another one at that time may be lost');
    assert.equal(busy.covers(0), true);
    busy.push(event(258));
    assert.equal(quiet.covers(Infinity), false, 'nothing is left that could tell');
    assert.equal(busy.between(0, Infinity).length, 256);
  });

  it('gives the events between two times, both included, and holds a bounded number', () => {
    const ring = new EventRing(new EventMemory(256), 0);
    for (let time = 1; time <= 1_000; time += 1) ring.push(event(time));
    assert.deepEqual(times(ring.between(998, 999)), [998, 999]);
    assert.equal(ring.between(0, Infinity).length, 256);
  });
});

function times(events: readonly ClusterEvent[]): readonly number[] {
  return events.map(({ timeNano }) => timeNano);
}

function event(timeNano: number): ClusterEvent {
  const node = { Name: 'n', Id: 'i', Addr: 'a', Ip: 'p' };
  return { Type: 'container', Action: 'start', Actor: { ID: 'x' }, time: 0, timeNano, node };
}
