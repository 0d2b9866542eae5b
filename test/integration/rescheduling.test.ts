import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, it } from 'mocha';
import { openLocalState } from '../../discovery/state/local.ts';
import type { RescheduleTimings } from '../../src/cluster/reschedule/rescheduler.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { SimulatedCluster, startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedClusterOptions } from '../support/simulated-cluster.ts';
import type { SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();

const timings: Partial<RescheduleTimings> = {
  lookMs: 20,
  graceMs: 150,
  runningMs: 60,
  healthyWithinMs: 1_000,
  pollMs: 20,
  retryMinMs: 30,
  retryMaxMs: 300,
};

const onFailure = 'reschedule:on-node-failure';
const onDrain = 'reschedule:on-drain';

interface Row {
  readonly Names: readonly string[];
}

interface Inspect {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Status: string };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> } & Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly Node: { readonly Name: string };
}

describe('containers that leave their node', () => {
  let shoal: SimulatedCluster;

  afterEach(() => shoal.stop());

  async function start(options: SimulatedClusterOptions = {}): Promise<void> {
    shoal = await startSimulatedCluster({
      engines: 3,
      ...options,
      cluster: { state: openLocalState({ logger }), rescheduleTimings: timings, ...options.cluster },
    });
  }

  async function run(name: string, env: readonly string[], body: object = {}): Promise<string> {
    return await shoal.run({ name, body: { Env: ['A=1', ...env], ...body } });
  }

  async function inspect(reference: string): Promise<Inspect> {
    return (await shoal.api.get(`/containers/${reference}/json`).expect(200)).body as Inspect;
  }

  /** As the manager resolves it; the engine need not answer. */
  function nodeOf(reference: string): string {
    return shoal.cluster.members.identityOf(shoal.cluster.containers.resolve(reference).engine).name;
  }

  async function set(node: string, availability: string): Promise<void> {
    const { Version, Spec } = (await shoal.api.get(`/nodes/${node}`).expect(200)).body as {
      readonly Version: { readonly Index: number };
      readonly Spec: object;
    };
    const path = `/nodes/${node}/update?version=${Version.Index}`;
    await shoal.api
      .post(path)
      .send({ ...Spec, Availability: availability })
      .expect(200);
  }

  function say(engines: readonly SimulatedEngine[]): void {
    shoal.announce(shoal.engines.map(({ address, name }) => ({ address, alive: !isAmong(name, engines) })));
  }

  /** The node is gone for discovery and for the manager. */
  async function lose(...names: readonly string[]): Promise<void> {
    const lost = names.map((name) => shoal.engine(name));
    await Promise.all(lost.map((engine) => engine.faults.refuse()));
    say(lost);
  }

  async function bringBack(name: string): Promise<void> {
    await shoal.engine(name).faults.accept();
    say([]);
  }

  /** The names of all containers of an engine with their states, as the engine has them. */
  function onEngine(name: string): readonly string[] {
    return [...shoal.engine(name).containers.values()].map((one) => `${one.name} ${one.status}`).sort();
  }

  async function events(): Promise<readonly string[]> {
    const untilNow = (Date.now() / 1000).toFixed(3);
    const text = await (await fetch(`${shoal.url}/events?since=1&until=${untilNow}`)).text();
    const lines = text.split('\n').filter((line) => line !== '');
    const actions = lines.map(
      (line) =>
        JSON.parse(line) as {
          readonly Action: string;
          readonly Actor: { readonly Attributes: { readonly name?: string } };
        },
    );
    return actions
      .filter(({ Action }) => Action.startsWith('reschedule.'))
      .map(({ Action, Actor }) => `${Action} ${Actor.Attributes.name ?? ''}`);
  }

  it('are made anew when both discovery and the manager have lost the node, with the same configuration', async () => {
    await start();
    const id = await run('web', [onFailure, 'constraint:node!=node-3'], {
      Labels: { app: 'shop' },
      Cmd: ['serve', '--all'],
      ExposedPorts: { '80/tcp': {} },
      HostConfig: {
        PortBindings: { '80/tcp': [{ HostPort: '8080' }] },
        RestartPolicy: { Name: 'always' },
        Memory: 1e8,
      },
    });
    await run('other', ['constraint:node==node-1']);
    const before = await inspect('web');
    const [from, to] = before.Node.Name === 'node-1' ? ['node-1', 'node-2'] : ['node-2', 'node-1'];
    await lose(from);
    await until('it runs elsewhere', () => nodeOf('web') === to);
    const after = await inspect('web');
    assert.notEqual(after.Id, id);
    assert.deepEqual(
      { ...after.Config, Labels: without(after.Config.Labels), Hostname: '' },
      { ...before.Config, Labels: without(before.Config.Labels), Hostname: '' },
    );
    assert.deepEqual(after.HostConfig, before.HostConfig);
    assert.equal(after.Config.Labels['com.docker.swarm.id'], before.Config.Labels['com.docker.swarm.id']);
    await shoal.api.get(`/containers/${id}/json`).expect(503);
    assert.deepEqual(await events(), ['reschedule.planned web', 'reschedule.done web']);
  });

  it('leave an older copy that is stopped and kept when the node is back', async () => {
    await start();
    const labels = { 'com.docker.compose.project': 'shop' };
    const id = await run('web', [onFailure], { Labels: labels, HostConfig: { RestartPolicy: { Name: 'always' } } });
    const from = nodeOf('web');
    await lose(from);
    await until('it is elsewhere', () => nodeOf('web') !== from);
    const current = (await inspect('web')).Id;
    let isAlwaysCurrent = true;
    await bringBack(from);
    await until('the older copy is put away', async () => {
      isAlwaysCurrent &&= (await inspect('web')).Id === current;
      return onEngine(from).includes(`web.stale-${from} exited`);
    });
    assert.ok(isAlwaysCurrent, 'the plain name meant the new copy all the time');
    await until('it is shown', () => shoal.cluster.containers.find(`web.stale-${from}`)?.record.id === id);
    const names = (await shoal.api.get('/containers/json').expect(200)).body as readonly { Names: readonly string[] }[];
    assert.deepEqual(
      names.map(({ Names }) => Names[0]),
      ['/web'],
    );
    const ofProject = encodeURIComponent('{"label":["com.docker.compose.project=shop"]}');
    const seen = (await shoal.api.get(`/containers/json?all=1&filters=${ofProject}`).expect(200)).body as readonly {
      readonly Id: string;
    }[];
    assert.deepEqual(
      seen.map(({ Id }) => Id),
      [current],
      'Compose sees the current copy alone',
    );
    await shoal.api.delete('/containers/web?force=1').expect(204);
    await shoal.api.post(`/containers/web.stale-${from}/rename?name=web`).expect(204);
    await shoal.api.post('/containers/web/start').expect(204);
    assert.deepEqual(onEngine(from), ['web running']);
  });

  it('leave an older copy that gives its name free also when the new one was renamed meanwhile', async () => {
    await start();
    await run('web', [onFailure]);
    const from = nodeOf('web');
    await lose(from);
    await until('it is elsewhere', () => nodeOf('web') !== from);
    await shoal.api.post('/containers/web/rename?name=shop').expect(204);
    await bringBack(from);
    await until('the older copy is put away', () => onEngine(from).includes(`web.stale-${from} exited`));
    await run('web', []);
    assert.notEqual(nodeOf('shop'), from);
  });

  it('stay as long as discovery or the manager still hears of the node', async () => {
    await start();
    await run('web', [onFailure]);
    const from = nodeOf('web');
    say([shoal.engine(from)]);
    await shoal.engine(from).faults.refuse();
    say([]);
    await until('the node is down', () => shoal.cluster.members.healthyEngines.length === 2);
    await bringBack(from);
    await shoal.untilHealthy();
    say([shoal.engine(from)]);
    await run('later', [onFailure]);
    assert.equal(nodeOf('web'), from);
    assert.deepEqual(await events(), []);
  });

  it('leave a node whose engine hangs once its agent says so too, and are put away when it goes on', async () => {
    await start();
    await run('web', [onFailure]);
    const from = nodeOf('web');
    shoal.engine(from).faults.freeze();
    await until('the node is down', () => shoal.cluster.members.healthyEngines.length === 2);
    say([shoal.engine(from)]);
    await until('it is elsewhere', () => nodeOf('web') !== from);
    assert.ok(onEngine(from).includes('web running'), 'it runs on where nobody can ask');
    shoal.engine(from).faults.thaw();
    say([]);
    await until('the older copy is put away', () => onEngine(from).includes(`web.stale-${from} exited`));
    assert.deepEqual(onEngine(nodeOf('web')), ['web running']);
  });

  it('stay on a node that comes and goes, as long as it is never away for the whole time of grace', async () => {
    await start({ cluster: { rescheduleTimings: { ...timings, graceMs: 3_000 } } });
    await run('web', [onFailure]);
    const from = nodeOf('web');
    for (let round = 0; round < 3; round += 1) {
      await lose(from);
      await until('the node is down', () => shoal.cluster.members.healthyEngines.length === 2);
      await bringBack(from);
      await shoal.untilHealthy();
    }
    assert.deepEqual(await events(), []);
    assert.deepEqual(onEngine(from), ['web running']);
  });

  it('leave a drained node when they were made to, and the others are named with the reason', async () => {
    await start({ engines: 2 });
    const there = 'constraint:node==node-1';
    const id = await run('web', [onDrain, onFailure]);
    const from = nodeOf('web');
    const pinned = there.replace('node-1', from);
    await run('plain', [pinned]);
    await run('failing', [onFailure, pinned]);
    await run('db', [onDrain, pinned], { HostConfig: { Binds: ['data:/var/lib/db'] } });
    await run('pinned', [onDrain, pinned]);
    await set(from, 'drain');
    await until('web is put away', () => onEngine(from).includes(`web.stale-${from} exited`));
    assert.notEqual(nodeOf('web'), from);
    assert.equal((await inspect(id)).Name, `/web.stale-${from}`);
    await until('it is known that one cannot go', async () => (await events()).includes('reschedule.failed pinned'));
    const engine = shoal.cluster.members.engineNamed(from);
    assert.ok(engine);
    const reasons = new Map(shoal.cluster.rescheduler.staysOn(engine).map(({ name, reason }) => [name, reason]));
    assert.equal(reasons.get('plain'), 'it was not created with reschedule:on-drain');
    assert.equal(reasons.get('failing'), 'it was not created with reschedule:on-drain');
    assert.equal(reasons.get('db'), 'its data is on the node: volume data');
    assert.match(reasons.get('pinned') ?? '', /node is being drained/);
    assert.equal(reasons.get('web'), undefined);
    const { Warnings } = (await shoal.api.get('/info').expect(200)).body as { readonly Warnings: readonly string[] };
    assert.ok(Warnings.some((text) => text.includes(`node ${from} is being emptied: it keeps `)));
    const { Status } = (await shoal.api.get(`/nodes/${from}`).expect(200)).body as {
      readonly Status: { readonly Message: string };
    };
    assert.match(Status.Message, /db \(its data is on the node: volume data\)/);
    const filters = encodeURIComponent(JSON.stringify({ node: [from] }));
    const tasks = (await shoal.api.get(`/tasks?filters=${filters}`).expect(200)).body as readonly {
      readonly ServiceID: string;
      readonly Status: { readonly State: string; readonly Err?: string };
    }[];
    const task = tasks.find(({ ServiceID }) => ServiceID === 'plain');
    assert.deepEqual([task?.Status.State, task?.Status.Err], ['running', reasons.get('plain')]);
    await set(from, 'active');
    assert.deepEqual(shoal.cluster.rescheduler.staysOn(engine), []);
    assert.deepEqual(onEngine(from), [
      'db running',
      'failing running',
      'pinned running',
      'plain running',
      `web.stale-${from} exited`,
    ]);
  });

  it('are not stopped on a drained node before their replacement runs', async () => {
    await start({ engines: 2 });
    await run('web', [onDrain]);
    const from = nodeOf('web');
    const target = shoal.engines.find(({ name }) => name !== from);
    assert.ok(target);
    target.faults.fail(/POST .*\/start/, { status: 500, message: 'no such device', times: 3 });
    await set(from, 'drain');
    await until('the failure is told', async () => (await events()).includes('reschedule.failed web'));
    assert.ok(onEngine(from).includes('web running'));
    await until('it is elsewhere', () => nodeOf('web') !== from);
    await until('the older copy is put away', () => onEngine(from).includes(`web.stale-${from} exited`));
    assert.deepEqual(onEngine(target.name), ['web running']);
  });

  it('are listed once at every moment of it', async () => {
    await start({ engines: 2 });
    await run('web', [onDrain]);
    const from = nodeOf('web');
    let isListedOnce = true;
    await set(from, 'drain');
    shoal.engine(from).faults.delay(/POST .*\/stop/, 200, { times: 1 });
    await until('the older copy is put away', async () => {
      const { body } = (await shoal.api.get('/containers/json?all=1').expect(200)) as { readonly body: readonly Row[] };
      isListedOnce &&= body.filter(({ Names }) => Names[0] === '/web').length === 1;
      return onEngine(from).includes(`web.stale-${from} exited`);
    });
    assert.ok(isListedOnce);
  });

  it('have their image pulled where no node that is left has it, unless no registry has it either', async () => {
    await start({ engines: [{ images: ['busybox:latest', 'app:1'] }, {}] });
    await run('app', [onFailure], { Image: 'app:1' });
    for (const name of ['one', 'two']) await run(name, ['constraint:node==node-2']);
    await shoal.api.post('/commit?container=app&repo=made&tag=here').send({}).expect(201);
    await run('mine', [onFailure], { Image: 'made:here' });
    assert.deepEqual([nodeOf('app'), nodeOf('mine')], ['node-1', 'node-1']);
    const target = shoal.engine('node-2');
    target.faults.fail(/^POST \/images\/create/, { status: 500, message: 'the registry is away', times: 1 });
    await lose('node-1');
    await until('one is elsewhere', () => onEngine('node-2').includes('app running'));
    assert.ok((await events()).includes('reschedule.failed app'), 'at the second attempt');
    await until('the other cannot go', async () => (await events()).includes('reschedule.failed mine'));
    const lost = shoal.cluster.members.engineNamed('node-1');
    assert.ok(lost);
    const [mine] = shoal.cluster.rescheduler.staysOn(lost).filter(({ name }) => name === 'mine');
    assert.match(mine?.reason ?? '', /image made:here is on no node that answers, and no registry has it/);
  });

  it('get the share of their new node that their cores come to, where shares are cores', async () => {
    await start({ engines: [{ cpus: 4 }, { cpus: 2 }], cluster: { cpuMode: 'classic' } });
    await run('web', [onDrain], { HostConfig: { CpuShares: 1 } });
    const from = nodeOf('web');
    const shares = (name: string): unknown =>
      (shoal.engine(name).findContainer('web')?.body['HostConfig'] as { readonly CpuShares: number }).CpuShares;
    const expected: Readonly<Record<string, number>> = { 'node-1': 256, 'node-2': 512 };
    assert.equal(shares(from), expected[from]);
    await set(from, 'drain');
    await until('it is elsewhere', () => nodeOf('web') !== from);
    assert.equal(shares(nodeOf('web')), expected[nodeOf('web')]);
  });

  it('are given back to a drained node when their replacement ends at once', async () => {
    await start({ engines: 2 });
    await run('web', [onDrain]);
    const from = nodeOf('web');
    const target = shoal.engines.find(({ name }) => name !== from);
    assert.ok(target);
    await set(from, 'drain');
    await until('the copy runs', () => target.findContainer('web')?.status === 'running');
    target.exit('web', 3);
    await until('the failure is told', async () => (await events()).includes('reschedule.failed web'));
    assert.deepEqual(onEngine(from), ['web running']);
    assert.deepEqual(onEngine(target.name), []);
    assert.equal(nodeOf('web'), from);
  });

  it('wait until there is room', async () => {
    await start({ engines: [{}, { memoryBytes: 2e9 }] });
    await run('big', ['constraint:node==node-2'], { HostConfig: { Memory: 1.5e9 } });
    await run('web', [onFailure], { HostConfig: { Memory: 1e9 } });
    assert.equal(nodeOf('web'), 'node-1');
    await lose('node-1');
    await until('there is no room', async () => (await events()).includes('reschedule.failed web'));
    await shoal.api.delete('/containers/big?force=1').expect(204);
    await until('it is elsewhere', () => nodeOf('web') === 'node-2');
    assert.equal((await events()).filter((event) => event === 'reschedule.failed web').length, 1);
  });

  it('stay when many nodes are lost together, until an operator says that one is gone', async () => {
    await start({ engines: 5 });
    for (let i = 0; i < 5; i += 1) await run(`web${i}`, [onFailure]);
    await lose('node-1', 'node-2');
    await until(
      'it is told',
      async () => (await events()).filter((event) => event.startsWith('reschedule.frozen')).length === 2,
    );
    const placed = [...shoal.cluster.containers.all()].filter(({ engine }) => engine.state !== 'healthy');
    assert.equal(placed.length, 2);
    assert.deepEqual(
      (await events()).filter((event) => event.startsWith('reschedule.planned')),
      [],
    );
    await set('node-1', 'drain');
    await until('those of the one are elsewhere', async () =>
      (await events()).some((event) => event.startsWith('reschedule.done')),
    );
    await bringBack('node-1');
    await shoal.engine('node-2').faults.accept();
    await shoal.untilHealthy();
    assert.equal((await events()).filter((event) => event.startsWith('reschedule.done')).length, 1);
  });

  it('move together with those that share their network or volumes', async () => {
    await start({ engines: 2 });
    await run('app', [onFailure]);
    const from = nodeOf('app');
    await run('proxy', [onFailure], { HostConfig: { NetworkMode: 'container:app' } });
    await run('logs', [onFailure], { HostConfig: { VolumesFrom: ['app'], IpcMode: 'container:app' } });
    assert.deepEqual([nodeOf('proxy'), nodeOf('logs')], [from, from]);
    await lose(from);
    for (const name of ['app', 'proxy', 'logs']) {
      await until(`${name} is elsewhere`, () => nodeOf(name) !== from);
    }
    const { Id } = await inspect('app');
    assert.equal((await inspect('proxy')).HostConfig['NetworkMode'], `container:${Id}`);
    assert.deepEqual((await inspect('logs')).HostConfig['VolumesFrom'], [Id]);
  });

  it('stay together with one that must stay', async () => {
    await start({ engines: 2 });
    await run('app', [onDrain]);
    const from = nodeOf('app');
    await run('proxy', [], { HostConfig: { NetworkMode: 'container:app' } });
    await set(from, 'drain');
    const engine = shoal.cluster.members.engineNamed(from);
    assert.ok(engine);
    await until('the reason is told', () =>
      shoal.cluster.rescheduler
        .staysOn(engine)
        .some(({ name, reason }) => name === 'app' && reason.startsWith('proxy, which stays')),
    );
    assert.deepEqual(onEngine(from), ['app running', 'proxy running']);
  });

  it('go without their data only when that may be lost', async () => {
    await start({ engines: 2 });
    await run('db', [onFailure, 'data:discardable'], { HostConfig: { Binds: ['data:/var/lib/db'] } });
    const from = nodeOf('db');
    await run('kept', [onFailure, `constraint:node==${from}`], { HostConfig: { Binds: ['other:/var/lib/db'] } });
    await lose(from);
    await until('one is elsewhere', () => nodeOf('db') !== from);
    assert.equal(nodeOf('kept'), from);
    await bringBack(from);
    await until('the older copy is put away', () => onEngine(from).includes(`db.stale-${from} exited`));
    assert.deepEqual([...shoal.engine(from).volumes.keys()].sort(), ['data', 'other']);
  });

  it('are forgotten when their user removes them, also while no manager looks', async () => {
    const state = openLocalState({ logger });
    const kept = async (): Promise<number> => (await state.read('containers')).documents.size;
    await start({ engines: 2, cluster: { state } });
    await run('web', [onFailure]);
    await run('app', [onFailure]);
    await until('both are kept', async () => (await kept()) === 2);
    await shoal.api.delete('/containers/web?force=1').expect(204);
    await until('one is kept', async () => (await kept()) === 1);
    const from = nodeOf('app');
    await shoal.server.stop();
    await shoal.cluster.stop();
    shoal.engine(from).removeDirectly('app');
    shoal = new SimulatedCluster(shoal.engines, { cluster: { state, rescheduleTimings: timings } });
    await shoal.start(true);
    await until('none is kept', async () => (await kept()) === 0);
  });

  it('are made anew by the next manager when theirs was lost together with the node', async () => {
    const state = openLocalState({ logger });
    await start({ engines: 2, cluster: { state } });
    await run('web', [onFailure]);
    const from = nodeOf('web');
    await until('it is kept as one that runs', async () => {
      const { documents } = await state.read('containers');
      return [...documents.values()].some(({ text }) => text.includes('"isActive":true'));
    });
    await shoal.server.stop();
    await shoal.cluster.stop();
    await shoal.engine(from).faults.refuse();
    const options = { state, rescheduleTimings: timings, unseenNodes: 'refuse' } as const;
    shoal = new SimulatedCluster(shoal.engines, { cluster: options });
    await shoal.start(false);
    say([shoal.engine(from)]);
    const [to = ''] = shoal.engines.map(({ name }) => name).filter((name) => name !== from);
    await until('it runs elsewhere', () => onEngine(to).includes('web running'));
    await bringBack(from);
    await until('the older copy is put away', () => onEngine(from).includes(`web.stale-${from} exited`));
    assert.deepEqual(onEngine(to), ['web running']);
  });

  it('are moved by the primary of several managers alone, and once when another becomes it meanwhile', async () => {
    const state = openLocalState({ logger });
    let primary = 'first';
    const options = (name: string): SimulatedClusterOptions => ({
      engines: 2,
      cluster: { state, rescheduleTimings: timings, isPrimary: () => primary === name },
    });
    await start(options('first'));
    const second = new SimulatedCluster(shoal.engines, options('second'));
    try {
      await second.start(true);
      await run('web', [onFailure]);
      const from = nodeOf('web');
      const [target] = shoal.engines.filter(({ name }) => name !== from);
      assert.ok(target);
      target.faults.hang(/POST .*\/start/, { times: 1 });
      await lose(from);
      second.announce(shoal.engines.map(({ address, name }) => ({ address, alive: name !== from })));
      await until('its start is asked for', () => target.requests.some(({ url }) => url.endsWith('/start')));
      primary = 'second';
      await until('it runs', () => onEngine(target.name).includes('web running'));
      await bringBack(from);
      second.announce(shoal.engines);
      await until('the older copy is put away', () => onEngine(from).includes(`web.stale-${from} exited`));
      assert.deepEqual(onEngine(target.name), ['web running']);
    } finally {
      await second.stop();
    }
  });

  it('are made once when the manager ends in the midst of it', async () => {
    const directory = mkdtempSync(`${tmpdir()}/shoal-reschedule-`);
    const open = (): SimulatedClusterOptions => ({
      engines: 2,
      cluster: { state: openLocalState({ logger, path: `${directory}/state` }), rescheduleTimings: timings },
    });
    try {
      await start(open());
      await run('web', [onFailure]);
      const from = nodeOf('web');
      const target = shoal.engines.find(({ name }) => name !== from);
      assert.ok(target);
      target.faults.hang(/POST .*\/start/, { times: 1 });
      await lose(from);
      await until('a copy is made', () => target.findContainer('web') !== undefined);
      await until('its start is asked for', () => target.requests.some(({ url }) => url.endsWith('/start')));
      await shoal.server.stop();
      await shoal.cluster.stop();
      shoal = new SimulatedCluster(shoal.engines, open());
      await shoal.start(false);
      say([shoal.engine(from)]);
      await until('it runs', () => onEngine(target.name).includes('web running'));
      await bringBack(from);
      await until('the older copy is put away', () => onEngine(from).includes(`web.stale-${from} exited`));
      assert.deepEqual(onEngine(target.name), ['web running']);
      assert.equal(nodeOf('web'), target.name);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

function isAmong(name: string, engines: readonly SimulatedEngine[]): boolean {
  return engines.some((engine) => engine.name === name);
}

function without(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = ['com.docker.swarm.placement', 'com.docker.swarm.generation'];
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !own.includes(key)));
}
