// The simulated engine itself: other tests believe what it says, so it must behave as an engine does.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { anEngine, ask, eventsOf, stopsItsEngines } from '../support/asked-engine.ts';
import { textAt } from '../support/simulated-engine/json.ts';
import { until } from '../support/until.ts';

describe('the simulated engine with events', () => {
  stopsItsEngines();

  it('sends the headers at once and then what happens, in order', async () => {
    const engine = await anEngine({});
    const events = await eventsOf(engine, '');
    const { id } = engine.createDirectly({ name: 'web', labels: { a: 'b' }, body: { Volumes: { '/x': {} } } });
    engine.exit(id, 2);
    engine.removeDirectly(id);
    await until('all have come', () => events.seen.length === 9);
    assert.deepEqual(
      events.seen.map((event) => `${textAt(event, 'Type')} ${textAt(event, 'Action')}`),
      [
        'volume create',
        'container create',
        'network connect',
        'volume mount',
        'container start',
        'container die',
        'network disconnect',
        'volume unmount',
        'container destroy',
      ],
    );
  });

  it('carries the actor, and the old fields for old clients', async () => {
    const engine = await anEngine({});
    const events = await eventsOf(engine, '?filters={"type":["container"],"event":["die"]}');
    const { id } = engine.createDirectly({ name: 'web', labels: { a: 'b' } });
    engine.exit(id, 2);
    await until('it has come', () => events.seen.length === 1);
    const [event = {}] = events.seen;
    const attributes = { a: 'b', exitCode: '2', image: 'busybox:latest', name: 'web' };
    assert.deepEqual(event['Actor'], { ID: id, Attributes: attributes });
    assert.deepEqual([event['status'], event['id'], event['from']], ['die', id, 'busybox:latest']);
  });

  it('replays its last 256 events from a time on and ends at a past time', async () => {
    const engine = await anEngine({});
    for (let index = 0; index < 100; index++) engine.removeDirectly(engine.createDirectly().id);
    const replayed = await ask(engine, 'GET', '/events?since=0&until=9');
    assert.equal(replayed.text, '');
    const now = Math.ceil(Date.now() / 1000);
    const all = await ask(engine, 'GET', `/events?since=1&until=${now}`);
    assert.equal(all.text.trim().split('\n').length, 256);
    assert.equal((await ask(engine, 'GET', '/events?since=10m')).status, 500);
  });
});
