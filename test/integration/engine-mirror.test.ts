// The mirror follows its engine: through events, through refreshes that are asked for, and through what goes wrong.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { connectTo, startConnectedEngine, untilState } from '../support/connected-engine.ts';
import type { ConnectedEngine } from '../support/connected-engine.ts';
import { startSimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import type { SimulatedEngineOptions } from '../support/simulated-engine/simulated-engine.ts';
import type { EngineTimings } from '../../src/engine/timings.ts';
import { until } from '../support/until.ts';

describe('the mirror of an engine', () => {
  const started: ConnectedEngine[] = [];

  afterEach(async () => {
    for (const connected of started.splice(0)) await connected.stop();
  });

  async function startHealthy(
    options?: Partial<SimulatedEngineOptions>,
    timings?: Partial<EngineTimings>,
  ): Promise<ConnectedEngine> {
    const connected = await startConnectedEngine(options, timings);
    started.push(connected);
    await untilState(connected.engine, 'healthy');
    return connected;
  }

  it('follows containers that others create, end and remove', async () => {
    const { engine, simulated } = await startHealthy();
    const { containers } = engine.mirror;
    const { id } = simulated.createDirectly({ name: 'web', labels: { tier: 'front' } });
    const record = await until('it runs', () => {
      const found = containers.get(id);
      return found?.details?.isRunning === true ? found : undefined;
    });
    assert.equal(record.name, 'web');
    assert.deepEqual(record.row.Labels, { tier: 'front' });
    simulated.exit(id, 3);
    await until('it has ended', () => containers.get(id)?.details?.exitCode === 3);
    assert.equal(containers.get(id)?.details?.isRunning, false);
    simulated.removeDirectly(id);
    await until('it is gone', () => !containers.has(id));
  });

  it('follows networks, volumes and images that others change', async () => {
    const { engine } = await startHealthy();
    const { client, mirror } = engine;
    await client.request({ method: 'POST', path: '/networks/create', body: { Name: 'front' } });
    await client.request({ method: 'POST', path: '/volumes/create', body: { Name: 'data' } });
    await client.request({ method: 'POST', path: '/images/busybox:latest/tag', query: { repo: 'mine', tag: 'v1' } });
    await until('the network shows', () => [...mirror.networks.values()].some(({ Name }) => Name === 'front'));
    await until('the volume shows', () => mirror.volumes.has('data'));
    await until('the tag shows', () => mirror.images.some(({ RepoTags }) => RepoTags?.includes('mine:v1')));
    await client.request({ method: 'DELETE', path: '/volumes/data' });
    await until('the volume is gone', () => !mirror.volumes.has('data'));
  });

  it('shows the effect of each call once the refresh has resolved', async () => {
    const { engine } = await startHealthy();
    const { client, mirror } = engine;
    for (let round = 0; round < 100; round++) {
      const name = `round-${round}`;
      const created = await client.request({
        method: 'POST',
        path: '/containers/create',
        query: { name },
        body: { Image: 'busybox:latest' },
      });
      const { Id: id } = created.body as { readonly Id: string };
      await engine.refreshContainer(id);
      assert.equal(mirror.containers.get(id)?.name, name);
      await client.request({ method: 'POST', path: `/containers/${id}/start` });
      await engine.refreshContainer(id);
      assert.equal(mirror.containers.get(id)?.details?.isRunning, true);
      await client.request({ method: 'DELETE', path: `/containers/${id}`, query: { force: '1' } });
      await engine.refreshContainer(id);
      assert.equal(mirror.containers.has(id), false);
    }
  });

  it('tells an event only when the mirror shows its effect, and the events of a container in order', async () => {
    const { engine, simulated } = await startHealthy();
    const seen: string[] = [];
    engine.subscribe((change) => {
      if (change.kind !== 'event' || change.event.Type !== 'container') return;
      const { Action: action, Actor: actor } = change.event;
      const record = engine.mirror.containers.get(actor.ID);
      seen.push(action);
      if (action === 'create') assert.ok(record !== undefined);
      if (action === 'die') assert.equal(record?.details?.isRunning, false);
      if (action === 'destroy') assert.equal(record, undefined);
    });
    simulated.faults.delay(/GET \/containers\/[0-9a-f]+\/json/, 30);
    const { id } = simulated.createDirectly({ name: 'web' });
    await until('the start was told', () => seen.includes('start'));
    assert.equal(engine.mirror.containers.get(id)?.details?.isRunning, true);
    simulated.exit(id, 0);
    await until('the death was told', () => seen.includes('die'));
    simulated.removeDirectly(id);
    await until('the destruction was told', () => seen.includes('destroy'));
    assert.deepEqual(seen, ['create', 'start', 'die', 'destroy']);
  });

  it('tells an event after a while although its effect cannot be read', async () => {
    const { simulated, changes } = await startHealthy({}, { eventHoldMs: 100 });
    simulated.faults.fail(/GET \/containers\/json/, { status: 500, message: 'out of order' });
    const { id } = simulated.createDirectly();
    await until('the event was told', () =>
      changes.some((change) => change.kind === 'event' && change.event.Actor.ID === id),
    );
  });

  it('repeats a refresh that failed until it succeeds', async () => {
    const { engine, simulated } = await startHealthy();
    const { id } = simulated.createDirectly({ running: false });
    await until('the container shows', () => engine.mirror.containers.has(id));
    simulated.faults.fail(/GET \/containers\/json/, { status: 500, message: 'out of order', times: 2 });
    simulated.faults.cut(/GET \/containers\/[0-9a-f]+\/json/, { times: 2 });
    await engine.client.request({ method: 'POST', path: `/containers/${id}/start` });
    await engine.refreshContainer(id);
    assert.equal(engine.mirror.containers.get(id)?.details?.isRunning, true);
  });

  it('releases those who wait for a refresh when the engine is lost', async () => {
    const { engine, simulated } = await startHealthy();
    simulated.faults.freeze();
    await engine.refreshNetworks();
    assert.equal(engine.state, 'unhealthy');
  });

  it('releases who waits for a refresh when his own signal aborts', async () => {
    const { engine, simulated } = await startHealthy();
    simulated.faults.hang(/GET \/containers\/json/);
    const leaving = new AbortController();
    const waiting = engine.refreshContainer('f'.repeat(64), leaving.signal);
    leaving.abort();
    await waiting;
    assert.equal(engine.state, 'healthy');
  });

  it('reads the others while the engine hangs over as many as are inspected at once', async () => {
    const { engine, simulated } = await startHealthy({}, { inspectTimeoutMs: 30_000, inspectPatienceMs: 50 });
    const hung = Array.from({ length: 12 }, () => simulated.createDirectly({ running: false }));
    await until('they show', () => engine.mirror.containers.size === hung.length);
    for (const { id } of hung) {
      simulated.faults.hang(new RegExp(`GET /containers/${id}/json`));
      await engine.client.request({ method: 'POST', path: `/containers/${id}/start` });
    }
    const { id } = simulated.createDirectly({ name: 'well' });
    await until('the other is read', () => engine.mirror.containers.get(id)?.details?.isRunning === true);
  });

  it('lets one container that cannot be inspected keep nobody from being seen', async () => {
    const simulatedOptions = { seedContainers: 3 };
    const { engine, simulated } = await startHealthy(simulatedOptions);
    const broken = simulated.createDirectly({ name: 'broken', running: false });
    await until('it shows', () => engine.mirror.containers.has(broken.id));
    simulated.faults.fail(new RegExp(`GET /containers/${broken.id}/json`), { status: 500, message: 'layer is gone' });
    await engine.client.request({ method: 'POST', path: `/containers/${broken.id}/start` });
    await engine.refreshContainer(broken.id);
    assert.equal(engine.mirror.containers.get(broken.id)?.row.State, 'running');
    assert.equal(engine.mirror.containers.get(broken.id)?.details, undefined);
    simulated.faults.dropEvents();
    const other = simulated.createDirectly({ name: 'other' });
    await until('the other shows', () => engine.mirror.containers.get(other.id)?.details?.isRunning);
    assert.equal(engine.state, 'healthy');
    simulated.faults.clear();
    await until('the broken one is read', () => engine.mirror.containers.get(broken.id)?.details?.isRunning);
  });

  it('becomes healthy although a container can never be inspected', async () => {
    const connected = await startConnectedEngine({ seedContainers: 2 });
    started.push(connected);
    const { engine, simulated } = connected;
    const [broken] = simulated.containers.keys();
    simulated.faults.fail(new RegExp(`GET /containers/${broken ?? ''}/json`), {
      status: 500,
      message: 'layer is gone',
    });
    await untilState(engine, 'healthy');
    assert.equal(engine.mirror.containers.size, 2);
    assert.equal(engine.mirror.containers.get(broken ?? '')?.details, undefined);
  });

  it('reads all others soon though one inspect is never answered and one breaks the connection', async () => {
    const connected = connectTo(await startSimulatedEngine({ name: 'node-1', seedContainers: 30 }));
    started.push(connected);
    const { engine, simulated } = connected;
    const [silent = '', cut = ''] = [...simulated.containers.keys()].slice(10);
    simulated.faults.hang(new RegExp(`GET /containers/${silent}/json`));
    simulated.faults.cut(new RegExp(`GET /containers/${cut}/json`));
    engine.start();
    const readWhole = (): number => [...engine.mirror.containers.values()].filter(({ details }) => details).length;
    await until('28 are read', () => readWhole() === 28);
    await untilState(engine, 'healthy');
    assert.equal(engine.mirror.containers.size, 30);
    simulated.faults.clear();
    await until('all are read', () => readWhole() === 30);
  });

  it('finds what lost events would have told at the next complete refresh', async () => {
    const { engine, simulated } = await startHealthy(
      { seedContainers: 1 },
      { engineRefreshMinIntervalMs: 80, engineRefreshMaxIntervalMs: 120 },
    );
    const [seeded] = simulated.containers.keys();
    assert.ok(seeded !== undefined);
    simulated.faults.silenceEvents(1_000);
    simulated.removeDirectly(seeded);
    const { id } = simulated.createDirectly({ name: 'silent' });
    await until('it shows', () => engine.mirror.containers.get(id)?.details?.isRunning);
    await until('the removed one is gone', () => !engine.mirror.containers.has(seeded));
  });

  it('reads a burst of 200 containers with few lists', async () => {
    const { engine, simulated } = await startHealthy();
    let lists = 0;
    simulated.faults.delay(/GET \/containers\/json/, 20);
    const countLists = (): void => {
      lists = simulated.requests.filter(({ url }) => url.includes('/containers/json')).length;
      assert.ok(lists < 100, `${lists} lists`);
    };
    for (let index = 0; index < 200; index++) simulated.createDirectly({ name: `burst-${index}` });
    await until('all 200 run', () => {
      countLists();
      return [...engine.mirror.containers.values()].filter(({ details }) => details?.isRunning).length === 200;
    });
  });

  it('does not bring a destroyed container back when an older answer comes late', async () => {
    const { engine, simulated } = await startHealthy();
    const { id } = simulated.createDirectly({ name: 'short' });
    await until('it shows', () => engine.mirror.containers.get(id)?.details?.isRunning);
    const returned: boolean[] = [];
    engine.subscribe((change) => {
      if (change.kind === 'container' && change.id === id) returned.push(change.after !== undefined);
    });
    simulated.faults.delay(new RegExp(`GET /containers/json`), 60);
    const reading = engine.refreshContainer(id);
    simulated.removeDirectly(id);
    await reading;
    await engine.refreshContainer(id);
    assert.equal(engine.mirror.containers.has(id), false);
    assert.equal(returned.at(-1), false);
    assert.ok(!returned.slice(returned.indexOf(false)).includes(true));
  });
});
