// The simulated engine itself: other tests believe what it says, so it must behave as an engine does.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { anEngine, ask, connectTo, create, eventsOf, stopsItsEngines } from '../support/asked-engine.ts';
import { isObject } from '../support/simulated-engine/json.ts';
import { until } from '../support/until.ts';

describe('the simulated engine with faults', () => {
  stopsItsEngines();

  it('fails as often as it is told', async () => {
    const engine = await anEngine({});
    engine.faults.fail(/^GET \/info$/, { status: 500, message: 'broken', times: 1 });
    const failed = await ask(engine, 'GET', '/v1.41/info');
    assert.deepEqual([failed.status, failed.json], [500, { message: 'broken' }]);
    assert.equal((await ask(engine, 'GET', '/v1.41/info')).status, 200);
  });

  it('cuts the connection before the work or after it', async () => {
    const engine = await anEngine({});
    engine.faults.cut(/POST .*create/, { times: 1 });
    await assert.rejects(create(engine, 'one', { Image: 'busybox' }));
    engine.faults.cut(/POST .*create/, { afterWork: true, times: 1 });
    await assert.rejects(create(engine, 'two', { Image: 'busybox' }));
    assert.deepEqual(
      [...engine.containers.values()].map(({ name }) => name),
      ['two'],
    );
  });

  it('hangs and delays what it is told to', async () => {
    const engine = await anEngine({});
    engine.faults.hang(/_ping/, { times: 1 });
    engine.faults.delay(/version/, 30);
    const hanging = await connectTo(engine);
    hanging.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('the request has come', () => engine.requests.length === 1);
    const startedAt = performance.now();
    assert.equal((await ask(engine, 'GET', '/version')).status, 200);
    assert.ok(performance.now() - startedAt >= 25);
    assert.equal(hanging.bytesRead, 0);
  });

  it('does nothing while it is frozen, and then all that was asked', async () => {
    const engine = await anEngine({});
    const events = await eventsOf(engine, '');
    engine.faults.freeze();
    const created = create(engine, 'web', { Image: 'busybox' });
    await until('the request has come', () => engine.requests.length === 2);
    engine.createDirectly();
    assert.deepEqual([engine.findContainer('web'), events.seen.length], [undefined, 0]);
    engine.faults.thaw();
    assert.equal((await created).status, 201);
    await until('the events have come', () => events.seen.length === 4);
  });

  it('refuses connections and comes back on the same port with what it knew', async () => {
    const engine = await anEngine({});
    engine.createDirectly();
    const { address } = engine;
    await engine.faults.refuse();
    await assert.rejects(ask(engine, 'GET', '/_ping'), { code: 'ECONNREFUSED' });
    await engine.faults.accept();
    assert.equal(engine.address, address);
    assert.equal((await ask(engine, 'GET', '/containers/json')).list.length, 1);
  });

  it('loses events and ends event streams', async () => {
    const engine = await anEngine({});
    const events = await eventsOf(engine, '?filters={"event":["create"]}');
    engine.faults.silenceEvents(1);
    engine.createDirectly({ name: 'unseen', running: false });
    engine.createDirectly({ name: 'seen', running: false });
    await until('an event has come', () => events.seen.length > 0);
    assert.equal(
      isObject(events.seen[0]?.['Actor']) && events.seen[0]['Actor']['ID'],
      engine.findContainer('seen')?.id,
    );
    engine.faults.dropEvents();
    await until('the stream has ended', () => events.hasEnded());
    await until('the engine has forgotten it', () => engine.eventStreams === 0);
  });

  it('forgets its faults', async () => {
    const engine = await anEngine({});
    engine.faults.fail(/./, { status: 503, message: 'no' });
    engine.faults.clear();
    assert.equal((await ask(engine, 'GET', '/_ping')).status, 200);
  });
});
