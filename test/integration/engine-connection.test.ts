// The life of a connection to one engine: becoming healthy, being lost in every way, coming back, ending.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { connectTo, startConnectedEngine, untilState } from '../support/connected-engine.ts';
import type { ConnectedEngine } from '../support/connected-engine.ts';
import { startSimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import type { SimulatedEngineOptions } from '../support/simulated-engine/simulated-engine.ts';
import type { EngineTimings } from '../../src/engine/timings.ts';
import { EngineUnreachable } from '../../src/engine/unreachable.ts';
import { ApiError } from '../../src/common/errors.ts';
import { until } from '../support/until.ts';

describe('the connection to an engine', () => {
  const started: ConnectedEngine[] = [];

  afterEach(async () => {
    for (const connected of started.splice(0)) await connected.stop();
  });

  async function start(
    options?: Partial<SimulatedEngineOptions>,
    timings?: Partial<EngineTimings>,
  ): Promise<ConnectedEngine> {
    const connected = await startConnectedEngine(options, timings);
    started.push(connected);
    return connected;
  }

  function states({ changes }: ConnectedEngine): readonly string[] {
    return changes.flatMap((change) => (change.kind === 'state' ? [change.state] : []));
  }

  it('is pending, then healthy once the engine has been read completely', async () => {
    const connected = await start({ seedContainers: 3, labels: { storage: 'ssd' } });
    const { engine, simulated } = connected;
    assert.equal(engine.state, 'pending');
    assert.equal(engine.name, simulated.address);
    await untilState(engine, 'healthy');
    assert.equal(engine.name, 'node-1');
    assert.equal(engine.id, simulated.id);
    assert.deepEqual(engine.labels, { storage: 'ssd' });
    assert.deepEqual(engine.apiVersion, { min: '1.24', max: '1.41' });
    assert.equal(engine.mirror.containers.size, 3);
    assert.ok([...engine.mirror.containers.values()].every(({ details }) => details?.isRunning));
    assert.equal(engine.mirror.images.length, 1);
    assert.equal(engine.mirror.networks.size, simulated.networks.size);
    assert.ok(engine.updatedAt !== undefined);
    assert.equal(engine.lastError, undefined);
    assert.deepEqual(states(connected), ['healthy']);
  });

  it('becomes unhealthy when the engine refuses connections, keeps what is known, and comes back', async () => {
    const { engine, simulated } = await start({ seedContainers: 2 });
    await untilState(engine, 'healthy');
    await simulated.faults.refuse();
    await untilState(engine, 'unhealthy');
    assert.match(engine.lastError ?? '', /ECONNREFUSED/);
    assert.equal(engine.mirror.containers.size, 2);
    await simulated.faults.accept();
    await untilState(engine, 'healthy');
    assert.equal(engine.lastError, undefined);
  });

  it('detects an engine that accepts connections and answers nothing', async () => {
    const { engine, simulated } = await start();
    await untilState(engine, 'healthy');
    simulated.faults.freeze();
    await untilState(engine, 'unhealthy');
    assert.match(engine.lastError ?? '', /no answer within/);
    simulated.faults.thaw();
    await untilState(engine, 'healthy');
  });

  it('gives up an engine that answers pings and leaves the container list unanswered', async () => {
    const { engine, simulated } = await start(
      {},
      { listTimeoutMs: 200, engineRefreshMinIntervalMs: 50, engineRefreshMaxIntervalMs: 60 },
    );
    await untilState(engine, 'healthy');
    simulated.faults.hang(/GET \/containers\/json/);
    await untilState(engine, 'unhealthy');
    simulated.faults.clear();
    await untilState(engine, 'healthy');
  });

  it('sees what changed while the engine was away', async () => {
    const { engine, simulated } = await start({ seedContainers: 2 });
    await untilState(engine, 'healthy');
    await simulated.faults.refuse();
    await untilState(engine, 'unhealthy');
    const [removed] = simulated.containers.keys();
    assert.ok(removed !== undefined);
    simulated.removeDirectly(removed);
    const created = simulated.createDirectly({ name: 'meanwhile' });
    await simulated.faults.accept();
    await untilState(engine, 'healthy');
    assert.equal(engine.mirror.containers.get(removed), undefined);
    assert.equal(engine.mirror.containers.get(created.id)?.name, 'meanwhile');
  });

  it('stays healthy through a dropped event stream and misses nothing', async () => {
    const connected = await start();
    const { engine, simulated } = connected;
    await untilState(engine, 'healthy');
    simulated.faults.dropEvents();
    const { id } = simulated.createDirectly({ name: 'web' });
    await until('the container is mirrored', () => engine.mirror.containers.get(id)?.details?.isRunning);
    await until('the event was told', () =>
      connected.changes.some(
        (change) => change.kind === 'event' && change.event.Action === 'start' && change.event.Actor.ID === id,
      ),
    );
    assert.deepEqual(states(connected), ['healthy']);
  });

  it('repeats no event after a reconnection', async () => {
    const connected = await start();
    const { engine, simulated } = connected;
    await untilState(engine, 'healthy');
    const first = simulated.createDirectly({ name: 'first' });
    const eventsOf = (id: string): readonly string[] =>
      connected.changes.flatMap((change) =>
        change.kind === 'event' && change.event.Type === 'container' && change.event.Actor.ID === id
          ? [change.event.Action]
          : [],
      );
    await until('the first start was told', () => eventsOf(first.id).includes('start'));
    simulated.faults.dropEvents();
    const second = simulated.createDirectly({ name: 'second' });
    await until('the second start was told', () => eventsOf(second.id).includes('start'));
    assert.deepEqual(eventsOf(first.id), ['create', 'start']);
    assert.deepEqual(eventsOf(second.id), ['create', 'start']);
  });

  it('names both versions when the engine and the manager have none in common', async () => {
    const { engine } = await start({ apiVersion: '1.60', minApiVersion: '1.55' });
    await untilState(engine, 'unhealthy');
    assert.match(engine.lastError ?? '', /1\.55 to 1\.60.*1\.24 to 1\.51/);
  });

  it('calls the engine with a version that it speaks', async () => {
    const { engine, simulated } = await start({ apiVersion: '1.41' });
    await untilState(engine, 'healthy');
    assert.ok(simulated.requests.some(({ url }) => url.startsWith('/v1.41/containers/json')));
    assert.ok(!simulated.requests.some(({ url }) => /^\/v1\.(?!41)/.test(url)));
  });

  it('tells a call that was not sent from one that was cut or left unanswered', async () => {
    const { engine, simulated } = await start();
    await untilState(engine, 'healthy');
    const call = { method: 'POST', path: '/volumes/create', body: { Name: 'v' }, timeoutMs: 200 } as const;
    const kind = async (): Promise<string> => {
      const error = await engine.client.request(call).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof EngineUnreachable);
      assert.equal(error.status, 503);
      return error.kind;
    };
    simulated.faults.cut(/volumes\/create/, { times: 1 });
    assert.equal(await kind(), 'cut');
    simulated.faults.hang(/volumes\/create/, { times: 1 });
    assert.equal(await kind(), 'timeout');
    await simulated.faults.refuse();
    await untilState(engine, 'unhealthy');
    assert.equal(await kind(), 'not-sent');
  });

  it('passes the status and the message of the engine on', async () => {
    const { engine } = await start();
    await untilState(engine, 'healthy');
    await assert.rejects(engine.client.request({ method: 'GET', path: '/containers/nowhere/json' }), (error) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.status, 404);
      assert.match(error.message, /^No such container: nowhere$/);
      return true;
    });
  });

  it('sends bodies, queries and headers as they are given', async () => {
    const { engine, simulated } = await start();
    await untilState(engine, 'healthy');
    const body = { Image: 'busybox:latest', Unknown: { kept: true } };
    const query = { name: 'with space?&' };
    await assert.rejects(
      engine.client.request({ method: 'POST', path: '/containers/create', query, body, headers: { 'X-Meta': 'yes' } }),
      /Invalid container name/,
    );
    const received = simulated.requests.findLast(({ url }) => url.includes('/containers/create'));
    assert.equal(received?.url, '/v1.41/containers/create?name=with%20space%3F%26');
    assert.equal(received.headers['x-meta'], 'yes');
    assert.equal(received.headers['content-length'], String(JSON.stringify(body).length));
    const created = await engine.client.request({
      method: 'POST',
      path: '/containers/create',
      query: { name: 'ok' },
      body,
    });
    assert.equal(created.status, 201);
  });

  it('stops at once in every state, leaves no connection open and tells that it is gone', async () => {
    for (const prepare of ['healthy', 'frozen', 'refused', 'unstarted']) {
      const simulated = await startSimulatedEngine({ name: prepare, seedContainers: 5 });
      const connected = connectTo(simulated);
      const { engine } = connected;
      if (prepare !== 'unstarted') {
        engine.start();
        await untilState(engine, 'healthy');
      }
      if (prepare === 'frozen') simulated.faults.freeze();
      if (prepare === 'refused') await simulated.faults.refuse();
      const waiting = engine.refreshImages();
      await Promise.all([engine.stop(), engine.stop(), waiting]);
      assert.equal(engine.state, 'gone', prepare);
      assert.equal(states(connected).at(-1), 'gone', prepare);
      await engine.refreshContainer('x');
      await until('the connections are closed', () => simulated.connections === 0);
      simulated.faults.clear();
      await simulated.stop();
    }
  });
});
