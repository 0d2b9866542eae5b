import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { startSimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import type { SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { until } from '../support/until.ts';

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Created: number;
  readonly Status: string;
}

const inspects = /^GET \/containers\/[0-9a-f]+\/json/;
const lists = /^GET \/containers\/json/;
const creates = /^POST \/containers\/create/;

describe('a cluster whose engines fail', () => {
  let shoal: SimulatedCluster;
  const others: { stop(): Promise<void> }[] = [];

  async function start(...args: Parameters<typeof startSimulatedCluster>): Promise<SimulatedCluster> {
    shoal = await startSimulatedCluster(...args);
    return shoal;
  }

  afterEach(async () => {
    await shoal.stop();
    await Promise.all(others.splice(0).map((other) => other.stop()));
  });

  async function list(): Promise<readonly Row[]> {
    const answer = await shoal.api.get('/containers/json?all=1').expect(200);
    return answer.body as Row[];
  }

  const shownNames = async (): Promise<readonly string[]> => (await list()).map(({ Names }) => Names[0] ?? '').sort();

  const create = (name: string, body: object = {}): Promise<{ readonly status: number; readonly text: string }> =>
    shoal.api.post(`/containers/create?name=${name}`).send({ Image: 'busybox', ...body });

  const stateOf = (name: string): string | undefined => shoal.cluster.members.engineNamed(name)?.state;

  it('keeps an engine healthy and a container listed whose inspect answers 500 for ever', async () => {
    await start({ engines: 1 });
    const engine = shoal.engine();
    const { id } = engine.createDirectly({ name: 'ill' });
    engine.faults.fail(new RegExp(`^GET /containers/${id}/json`), { status: 500, message: 'out of order' });
    engine.faults.dropEvents();
    await until('it is listed', async () => (await shownNames()).includes('/ill'));
    const wellId = await shoal.run({ name: 'well' });

    assert.equal(stateOf('node-1'), 'healthy');
    assert.deepEqual(await shownNames(), ['/ill', '/well']);
    await shoal.api.post('/containers/ill/stop?t=0').expect(204);
    const states = new Map((await list()).map(({ Id, State }) => [Id, State]));
    assert.equal(states.get(id), 'exited', 'its own writes are shown too');
    assert.equal(states.get(wellId), 'running');
  });

  it('becomes healthy although the inspect of one container breaks the connection each time', async () => {
    const engine = await startSimulatedEngine({ name: 'node-9' });
    others.push(engine);
    const { id } = engine.createDirectly({ name: 'ill' });
    engine.faults.cut(new RegExp(`^GET /containers/${id}/json`));
    await start({ engines: 1, announced: false });
    shoal.announce([engine]);
    await until('it is healthy', () => shoal.cluster.members.healthyEngines.length === 1);

    assert.deepEqual(await shownNames(), ['/ill']);
    assert.equal((await create('well')).status, 201);
  });

  it('reads a container again soon when the read after its event failed', async () => {
    await start({ engines: 1 });
    const engine = shoal.engine();
    engine.faults.fail(lists, { status: 500, message: 'busy', times: 2 });
    engine.faults.fail(inspects, { status: 500, message: 'busy', times: 2 });
    const { id } = engine.createDirectly({ name: 'web' });
    await until('it is shown', async () => (await shownNames()).includes('/web'), 5_000);

    engine.faults.fail(lists, { status: 500, message: 'busy', times: 3 });
    engine.exit(id, 3);
    await until('its end is shown', async () => (await list())[0]?.State === 'exited', 5_000);
  });

  it('shows a change whose answer was cut off, and whose reads failed', async () => {
    await start({ engines: 1 });
    const engine = shoal.engine();
    const id = await shoal.run({ name: 'web' });
    engine.faults.silenceEvents(20);
    engine.faults.cut(/^POST \/containers\/.*\/stop/, { afterWork: true, times: 1 });
    engine.faults.fail(lists, { status: 500, message: 'busy', times: 2 });
    await shoal.api.post(`/containers/${id}/stop?t=0`).expect(503);

    assert.equal(engine.containers.get(id)?.status, 'exited');
    assert.deepEqual(
      (await list()).map(({ State }) => State),
      ['exited'],
    );
  });

  it('forgets what an engine has removed, although the engine is lost right after its answer', async () => {
    await start({ engines: 1 });
    const engine = shoal.engine();
    const id = await shoal.run({ name: 'web' });
    const other = await shoal.run({ name: 'other', isStarted: false });
    engine.faults.silenceEvents(20);
    engine.faults.hang(/^GET \/(?:containers|volumes)/);

    await shoal.api.delete(`/containers/${id}?force=1`).expect(204);
    const pruned = await shoal.api.post('/containers/prune').expect(200);
    assert.deepEqual((pruned.body as { ContainersDeleted: unknown }).ContainersDeleted, [other]);
    await engine.faults.refuse();
    await until('it is lost', () => shoal.cluster.members.healthyEngines.length === 0);

    assert.deepEqual(await list(), []);
  });

  it('shows what a refused call has changed all the same', async () => {
    await start({ engines: 1 });
    const engine = shoal.engine();
    const id = await shoal.run({ name: 'web' });
    engine.faults.silenceEvents(20);
    engine.removeDirectly(id);
    await shoal.api.post(`/containers/${id}/stop?t=0`).expect(404);

    assert.deepEqual(await list(), []);
  });

  it('answers a change whose refresh fails for a while only when the change is shown', async () => {
    await start({ engines: 1 });
    const id = await shoal.run({ name: 'web' });
    shoal.engine().faults.fail(lists, { status: 500, message: 'busy', times: 4 });
    await shoal.api.post(`/containers/${id}/rename?name=shop`).expect(204);

    assert.deepEqual(await shownNames(), ['/shop']);
  });

  it('answers 503 when the engine hangs under an inspect', async () => {
    await start({ engines: 1 });
    await shoal.run({ name: 'web' });
    shoal.engine().faults.hang(inspects);
    const asked = shoal.api.get('/containers/web/json').expect(503);
    const answered = asked.then(({ body }) => (body as { message: string }).message);
    shoal.engine().faults.freeze();
    assert.match(await answered, /node-1 cannot be reached/);
  });

  it('answers 503 when the engine hangs under a call, and shows the effect when it goes on', async () => {
    await start({ engines: 1 });
    const id = await shoal.run({ name: 'web' });
    shoal.engine().faults.freeze();
    await shoal.api.post(`/containers/${id}/stop?t=0`).expect(503);
    assert.equal((await list())[0]?.Status, 'Host Down');
    shoal.engine().faults.thaw();
    await until('its end is shown', async () => (await list())[0]?.State === 'exited');
  });

  it('keeps the name of a create whose answer was cut until the container is known', async () => {
    await start({ engines: 2 });
    for (const { faults } of shoal.engines) {
      faults.cut(creates, { afterWork: true, times: 1 });
      faults.fail(lists, { status: 500, message: 'busy', times: 3 });
    }
    const first = create('web').then((answer) => answer);
    await until('an engine has it', () => shoal.engines.some((engine) => engine.findContainer('web') !== undefined));
    const others20 = await Promise.all(Array.from({ length: 20 }, () => create('web')));

    assert.deepEqual(new Set(others20.map(({ status }) => status)), new Set([409]));
    assert.equal((await first).status, 201, (await first).text);
    assert.equal(shoal.engines.filter((engine) => engine.findContainer('web') !== undefined).length, 1);
  });

  it('keeps the new name of a rename whose engine was lost until it is back', async () => {
    await start({ engines: 2 });
    const id = await shoal.run({ name: 'web' });
    const engine = shoal.engineOf(id);
    engine.faults.cut(/\/rename/, { afterWork: true, times: 1 });
    engine.faults.fail(/^GET /, { status: 500, message: 'out of order' });
    await shoal.api.post(`/containers/${id}/rename?name=shop`);
    await until('the engine is lost', () => stateOf(engine.name) === 'unhealthy');
    const meanwhile = await create('shop');
    engine.faults.clear();
    await until('the engine is back', () => stateOf(engine.name) === 'healthy');

    assert.equal(meanwhile.status, 409, meanwhile.text);
    assert.deepEqual(await shownNames(), ['/shop']);
    assert.equal((await create('shop')).status, 409);
    await until('the old name is free', async () => (await create('web')).status === 201);
  });

  it('creates on another node when the first has just died', async () => {
    await start({ engines: 2 });
    for (let index = 0; index < 3; index += 1) assert.equal((await create(`warm-${index}`)).status, 201);
    await shoal.engine('node-1').faults.refuse();
    const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => create(`web-${index}`)));

    assert.deepEqual(
      new Set(answers.map(({ status }) => status)),
      new Set([201]),
      answers.map(({ text }) => text).join(),
    );
    const onSecond = [...shoal.engine('node-2').containers.values()].filter(({ name }) => name.startsWith('web-'));
    assert.equal(onSecond.length, 6);
  });

  it('gives one port to as many of fifty creates as there are nodes, and again after they are gone', async () => {
    await start({ engines: 3 });
    const HostConfig = { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } };
    for (const round of [1, 2]) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => create(`r${round}-${index}`, { HostConfig })),
      );
      const statuses = answers.map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 201).length, 3);
      assert.equal(statuses.filter((status) => status === 409).length, 47);
      const rows = await list();
      await Promise.all(rows.map(({ Id }) => shoal.api.delete(`/containers/${Id}?force=1`).expect(204)));
    }
    assert.deepEqual(
      shoal.cluster.members.nodes.map((node) => node.totalContainers),
      [0, 0, 0],
    );
  });

  it('gives one name to one of twenty creates and renames', async () => {
    await start({ engines: 3 });
    const ids = await Promise.all(Array.from({ length: 10 }, () => shoal.run({ isStarted: false })));
    const creating = Array.from({ length: 10 }, () => create('web'));
    const renaming = ids.map((id) => shoal.api.post(`/containers/${id}/rename?name=web`));
    const statuses = (await Promise.all([...creating, ...renaming])).map(({ status }) => status);

    assert.equal(statuses.filter((status) => status < 300).length, 1, statuses.join());
    assert.equal((await shownNames()).filter((name) => name === '/web').length, 1);
  });

  it('forgets the containers of an engine that another one has replaced at its address', async () => {
    await start({ engines: [{}, { clockSkewMs: 3_600_000 }] });
    const old = shoal.engine('node-2');
    old.createDirectly({ name: 'old-1' });
    old.createDirectly({ name: 'old-2' });
    await until('the old ones are shown', async () => (await list()).length === 2);
    await old.stop();
    const replacement = await startSimulatedEngine({ name: 'node-new', port: old.port });
    others.push(replacement);
    replacement.createDirectly({ name: 'new-1' });
    await until('the new one is shown', async () => (await shownNames()).join() === '/new-1');

    assert.equal(shoal.cluster.members.engineNamed('node-2'), undefined);
    assert.equal(shoal.cluster.members.engineNamed('node-new')?.id, replacement.id);
    replacement.createDirectly({ name: 'new-2' });
    await until('its events are followed', async () => (await shownNames()).join() === '/new-1,/new-2');
    replacement.faults.dropEvents();
    replacement.createDirectly({ name: 'new-3' });
    await until('also after a gap', async () => (await list()).length === 3);
  });

  for (const clockSkewMs of [-86_400_000, 86_400_000]) {
    it(`follows an engine whose clock is ${clockSkewMs < 0 ? 'behind' : 'ahead'} by a day, across gaps`, async () => {
      await start({ engines: [{ clockSkewMs }, {}] });
      const engine = shoal.engine('node-1');
      for (const name of ['aa', 'bb', 'cc']) {
        engine.faults.dropEvents();
        const { id } = engine.createDirectly({ name });
        await until(`${name} is shown`, async () => (await shownNames()).includes(`/${name}`));
        engine.exit(id, 0);
        await until(
          `the end of ${name} is shown`,
          async () => (await list()).find(({ Id }) => Id === id)?.State === 'exited',
        );
      }
      assert.equal((await create('web')).status, 201);
      assert.equal((await list()).length, 4);
    });
  }

  it('tells two engines with one id and one name apart', async () => {
    const id = 'SAME:SAME';
    await start({
      engines: [
        { id, name: 'twin' },
        { id, name: 'twin' },
      ],
    });
    for (const [index, engine] of shoal.engines.entries()) engine.createDirectly({ name: `of-${index}` });
    await until('both are shown', async () => (await shownNames()).join() === '/of-0,/of-1');

    const [first, second] = shoal.cluster.members.nodes.map(({ name }) => name);
    assert.notEqual(first, second);
    const answers = await Promise.all([create('aa'), create('bb')]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201],
    );
    await shoal.api.delete('/containers/of-0?force=1').expect(204);
    assert.deepEqual(await shownNames(), ['/aa', '/bb', '/of-1']);
    shoal.announce(shoal.engines.slice(1));
    await until('the other remains', () => shoal.cluster.members.engines.length === 1);
    assert.ok((await shownNames()).includes('/of-1'));
  });

  describe('by what they answer', () => {
    const garbage: readonly (readonly [string, (res: http.ServerResponse) => void])[] = [
      ['a list that is no JSON', (res) => res.setHeader('Content-Type', 'application/json').end('[{"Id":')],
      ['a list of numbers', (res) => res.setHeader('Content-Type', 'application/json').end('[1,2,3]')],
      ['an object for a list', (res) => res.setHeader('Content-Type', 'application/json').end('{"message":"hello"}')],
      ['an endless list', endlessly],
      ['half of a list', (res) => res.writeHead(200, { 'Content-Length': '1000' }).write('[', () => res.destroy())],
    ];
    for (const [title, answerList] of garbage) {
      it(`gives up an engine that answers ${title}, and nothing else`, async () => {
        const engine = await startSimulatedEngine({ name: 'node-9' });
        const liar = await startLiar(engine, answerList);
        others.push(liar, engine);
        await start({ engines: 1 });
        const before = process.memoryUsage().rss;
        shoal.announce([...shoal.engines, liar]);
        await until('it is given up', () => stateOf('node-9') === 'unhealthy');

        assert.equal(stateOf('node-1'), 'healthy');
        assert.equal((await create('web')).status, 201);
        assert.deepEqual(await shownNames(), ['/web']);
        assert.ok(process.memoryUsage().rss - before < 700e6, 'memory stays bounded');
        liar.beHonest();
        await until('it is taken back', () => stateOf('node-9') === 'healthy');
      }).timeout(30_000);
    }
  });

  it('serves the other engines at once while one hangs at the start', async () => {
    const engines = await Promise.all([1, 2, 3].map((index) => startSimulatedEngine({ name: `node-${index}` })));
    others.push(...engines);
    const [hung, ...healthy] = engines as [SimulatedEngine, ...SimulatedEngine[]];
    for (const engine of engines) engine.createDirectly({ name: `on-${engine.name}` });
    hung.faults.freeze();
    await start({ engines: 0, announced: false, timings: { probeTimeoutMs: 3_000, listTimeoutMs: 20_000 } });
    const startedAt = performance.now();
    shoal.announce(engines);
    for (const { name } of healthy) await shoal.api.get(`/containers/on-${name}/json`).expect(200);
    assert.equal((await create('web')).status, 201);
    const elapsedMs = performance.now() - startedAt;

    assert.ok(elapsedMs < 4_000, `not before ${elapsedMs} ms`);
    hung.faults.thaw();
    await until('all are listed', async () => (await list()).length === 4);
  });
});

interface Liar {
  readonly address: string;
  readonly beHonest: () => void;
  readonly stop: () => Promise<void>;
}

/** Stands in front of `engine` and answers the list of containers itself until it is told to be honest. */
async function startLiar(engine: SimulatedEngine, answerList: (res: http.ServerResponse) => void): Promise<Liar> {
  let isHonest = false;
  const server = http.createServer((req, res) => {
    if (!isHonest && req.url?.includes('/containers/json') === true) {
      answerList(res);
      return;
    }
    const { method, url: path, headers } = req;
    const asked = http.request(
      { host: '127.0.0.1', port: engine.port, method, path, headers, agent: false },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        res.flushHeaders();
        answer.pipe(res);
      },
    );
    asked.on('error', () => res.destroy());
    res.on('close', () => asked.destroy());
    req.pipe(asked);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  const beHonest = (): void => {
    isHonest = true;
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, beHonest, stop };
}

function endlessly(res: http.ServerResponse): void {
  const row = Buffer.from(`{"Id":"${'0'.repeat(64)}","Names":["/x"]},`.repeat(5_000));
  res.setHeader('Content-Type', 'application/json');
  const more = (): void => {
    while (!res.destroyed && res.write(row));
  };
  res.on('drain', more);
  res.write('[');
  more();
}
