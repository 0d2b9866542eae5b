import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { SwarmMembers } from '../support/simulated-engine/swarm-members.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
}

describe('calls on one container', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: [{ apiVersion: '1.41' }, { apiVersion: '1.51' }] });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const engine of shoal.engines) engine.faults.clear();
    await Promise.all((await rows()).map(({ Id }) => shoal.api.delete(`/containers/${Id}?force=1`)));
  });

  async function rows(): Promise<readonly Row[]> {
    return (await shoal.api.get('/containers/json?all=1').expect(200)).body as readonly Row[];
  }

  async function stateOf(id: string): Promise<string | undefined> {
    return (await rows()).find((row) => row.Id === id)?.State;
  }

  const unknown = [
    ['get', '/containers/nope/json'],
    ['get', '/containers/nope/logs?stdout=1'],
    ['get', '/containers/nope/top'],
    ['get', '/containers/nope/stats'],
    ['get', '/containers/nope/changes'],
    ['get', '/containers/nope/export'],
    ['get', '/containers/nope/archive?path=/'],
    ['put', '/containers/nope/archive?path=/'],
    ['post', '/containers/nope/start'],
    ['post', '/containers/nope/stop'],
    ['post', '/containers/nope/restart'],
    ['post', '/containers/nope/pause'],
    ['post', '/containers/nope/unpause'],
    ['post', '/containers/nope/wait'],
    ['post', '/containers/nope/resize?h=1&w=1'],
    ['post', '/containers/nope/rename?name=x'],
    ['post', '/containers/nope/exec'],
    ['delete', '/containers/nope'],
    ['post', '/commit?container=nope'],
  ] as const;
  for (const [method, path] of unknown) {
    it(`answers ${method} ${path} with 404 in dockerd's words`, async () => {
      await shoal.api[method](path).expect(404, { message: 'No such container: nope' });
    });
  }

  it('says what it could not do to an unknown container where dockerd does', async () => {
    const message = 'cannot kill container: nope: No such container: nope';
    await shoal.api.post('/containers/nope/kill').expect(404, { message });
  });

  it('has checkpoints only where engines are experimental, whatever the container', async () => {
    for (const [method, path] of [
      ['get', '/containers/nope/checkpoints'],
      ['post', '/containers/nope/checkpoints'],
      ['delete', '/containers/nope/checkpoints/one'],
    ] as const) {
      const answer = await shoal.api[method](path).expect(501);
      assert.match(
        (answer.body as { message: string }).message,
        /^This experimental feature is disabled by default\. /,
      );
    }
  });

  it('refuses to remove a link that is the name of the container', async () => {
    await shoal.api.delete('/containers/nope?link=1').expect(404, { message: 'No such container: nope' });
    await shoal.run({ name: 'linked' });
    const message = 'Conflict, cannot remove the default link name of the container';
    await shoal.api.delete('/containers/linked?link=1').expect(500, { message });
    await shoal.api.delete('/containers/linked?force=1').expect(204);
  });

  it('names an unknown container as the user typed it, slashes and all', async () => {
    await shoal.api.get('/containers/node-1%2Fnope/json').expect(404, { message: 'No such container: node-1/nope' });
  });

  it('shows the effect of every change to the next list', async () => {
    const id = await shoal.run({ name: 'web', isStarted: false });
    assert.equal(await stateOf(id), 'created');

    const steps = [
      ['start', 204, 'running'],
      ['pause', 204, 'paused'],
      ['unpause', 204, 'running'],
      ['stop', 204, 'exited'],
      ['restart', 204, 'running'],
      ['kill', 204, 'exited'],
    ] as const;
    for (const [action, status, state] of steps) {
      await shoal.api.post(`/containers/web/${action}`).expect(status);
      assert.equal(await stateOf(id), state, action);
    }
    await shoal.api.delete('/containers/web').expect(204);
    assert.deepEqual(await rows(), []);
  });

  it('shows the effect of a change whose event is lost', async () => {
    const id = await shoal.run({ name: 'web', isStarted: false });
    for (const engine of shoal.engines) engine.faults.silenceEvents(8);

    await shoal.api.post('/containers/web/start').expect(204);
    assert.equal(await stateOf(id), 'running');
    await shoal.api.delete('/containers/web?force=1').expect(204);
    assert.equal(await stateOf(id), undefined);
  });

  it('shows the volumes that went with a container to the next list', async () => {
    const id = await shoal.run({ body: { Volumes: { '/data': {} } } });
    const volumes = async (): Promise<unknown> => (await shoal.api.get('/volumes').expect(200)).body;
    assert.equal(((await volumes()) as { Volumes: unknown[] }).Volumes.length, 1);

    await shoal.api.delete(`/containers/${id}?force=1&v=1`).expect(204);

    assert.equal(((await volumes()) as { Volumes: unknown[] }).Volumes.length, 0);
  });

  it('says 304 to a start of what runs and a stop of what does not', async () => {
    await shoal.run({ name: 'web' });

    await shoal.api.post('/containers/web/start').expect(304);
    await shoal.api.post('/containers/web/stop').expect(204);
    await shoal.api.post('/containers/web/stop').expect(304);
  });

  it('refuses a start with a body', async () => {
    await shoal.run({ name: 'web', isStarted: false });

    const answer = await shoal.api.post('/containers/web/start').send({ Binds: ['/a:/b'] });

    assert.equal(answer.status, 400);
    assert.match(answer.text, /starting container with non-empty request body/);
  });

  it('accepts a start with a length of nothing, and refuses a chunked one', async () => {
    await shoal.run({ name: 'web', isStarted: false });
    const client = await shoal.openRaw();

    client.write('POST /containers/web/start HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
    await client.untilText('HTTP/1.1 400');
    client.write('POST /containers/web/start HTTP/1.1\r\nContent-Length: 0\r\n\r\n');
    await client.untilText('HTTP/1.1 204');
    client.destroy();
  });

  it("passes the engine's refusals on word for word, with the reference that the user typed", async () => {
    const id = await shoal.run({ name: 'web' });

    await shoal.api.post('/containers/web/kill?signal=ZZZ').expect(400, { message: 'Invalid signal: ZZZ' });
    const refused = await shoal.api.delete('/containers/web').expect(409);
    assert.match((refused.body as { message: string }).message, new RegExp(`running container ${id}`));
    await shoal.api.post('/containers/web/stop').expect(204);
    const kill = await shoal.api.post('/containers/web/kill').expect(409);
    assert.match((kill.body as { message: string }).message, /^Cannot kill container: web: /);
  });

  it('finds a container by id, id prefix, name and node/name', async () => {
    const id = await shoal.run({ name: 'web' });
    const node = shoal.engineOf(id).name;

    for (const reference of [id, id.slice(0, 12), 'web', `${node}/web`, `${node}%2Fweb`]) {
      const body: unknown = (await shoal.api.get(`/containers/${reference}/json`).expect(200)).body;

      assert.equal((body as { Id: string }).Id, id, reference);
    }
  });

  it('shows the node in an inspect', async () => {
    const id = await shoal.run({ name: 'web' });
    const engine = shoal.engineOf(id);

    const body: unknown = (await shoal.api.get('/containers/web/json').expect(200)).body;

    const { Node: node, Name: name } = body as { Node: Record<string, unknown>; Name: string };
    assert.equal(name, '/web');
    assert.deepEqual(
      { ID: node['ID'], Name: node['Name'], Addr: node['Addr'], IP: node['IP'] },
      { ID: engine.id, Name: engine.name, Addr: engine.address, IP: '127.0.0.1' },
    );
  });

  it('inspects live, so that a change behind its back shows', async () => {
    const id = await shoal.run({ name: 'web' });
    const engine = shoal.engineOf(id);
    engine.faults.silenceEvents(10);
    engine.exit(id, 3);

    const body: unknown = (await shoal.api.get('/containers/web/json').expect(200)).body;

    assert.equal((body as { State: { ExitCode: number } }).State.ExitCode, 3);
  });

  it('answers 503 for a container whose node is lost', async () => {
    const lost = await startSimulatedCluster({ engines: 1 });
    await lost.run({ name: 'web' });
    await lost.engine().faults.refuse();
    await until('the engine is unhealthy', () => lost.cluster.members.healthyEngines.length === 0);

    for (const path of ['/containers/web/json', '/containers/web/logs?stdout=1']) {
      const answer = await lost.api.get(path).expect(503);
      assert.match((answer.body as { message: string }).message, /node-1/);
    }
    await lost.api.post('/containers/web/start').expect(503);
    await lost.stop();
  });

  it('answers 503 when the connection to the engine breaks', async () => {
    const id = await shoal.run({ name: 'web' });
    shoal.engineOf(id).faults.cut(/POST .*\/pause/, { times: 1 });

    await shoal.api.post('/containers/web/pause').expect(503);
  });

  it('renames, and frees the old name', async () => {
    const id = await shoal.run({ name: 'web' });

    await shoal.api.post('/containers/web/rename?name=api').expect(204);

    await shoal.api.get('/containers/web/json').expect(404);
    const body: unknown = (await shoal.api.get('/containers/api/json').expect(200)).body;
    assert.equal((body as { Id: string }).Id, id);
    await shoal.run({ name: 'web' });
  });

  it('refuses a rename to a name that another node has, to its own name and to no name', async () => {
    await shoal.run({ name: 'one' });
    await shoal.run({ name: 'two' });

    const taken = await shoal.api.post('/containers/one/rename?name=two').expect(409);
    assert.match(
      (taken.body as { message: string }).message,
      /^Error when allocating new name: Conflict\. The container name "\/two" is already in use by/,
    );
    await shoal.api
      .post('/containers/one/rename?name=one')
      .expect(400, { message: 'Renaming a container with the same name as its current name' });
    await shoal.api.post('/containers/one/rename').expect(400);
  });

  it('updates resources and passes the body on untouched', async () => {
    const id = await shoal.run({ name: 'web' });

    const answer = await shoal.api
      .post('/containers/web/update')
      .send({ Memory: 64 * 1024 ** 2, Future: 1 })
      .expect(200);

    assert.ok('Warnings' in (answer.body as object));
    const location = shoal.cluster.containers.resolve(id);
    assert.equal(location.record.details?.memoryBytes, 64 * 1024 ** 2);
  });

  it('passes query arguments that came as a form', async () => {
    const id = await shoal.run({ name: 'web' });

    await shoal.api.post('/containers/web/kill').type('form').send('signal=USR1').expect(204);

    const kill = shoal.engineOf(id).requests.findLast(({ path }) => path.endsWith('/kill'));
    assert.equal(kill?.query.get('signal'), 'USR1');
  });

  it('commits on the node of the container', async () => {
    const id = await shoal.run({ name: 'web' });

    await shoal.api.post('/commit?container=web&repo=made&tag=1').expect(201);

    const tags = [...shoal.engineOf(id).images.values()].length;
    assert.ok(tags > 1);
    assert.equal(shoal.cluster.images.resolve('made:1').engines[0].name, shoal.engineOf(id).name);
  });

  it('copies archives both ways', async () => {
    await shoal.run({ name: 'web' });

    await shoal.api.head('/containers/web/archive?path=/etc').expect(200).expect('X-Docker-Container-Path-Stat', /./);
    await shoal.api.get('/containers/web/archive?path=/etc').expect(200);
    await shoal.api
      .put('/containers/web/archive?path=/')
      .set('Content-Type', 'application/x-tar')
      .send(Buffer.alloc(10_240))
      .expect(200);
  });
});

describe('a restart that the engine fails', () => {
  const gone = { status: 404, message: 'network wide not found', times: 1 };

  async function restarted(swarms: SwarmMembers): Promise<{ readonly answer: number; readonly starts: number }> {
    const shoal = await startSimulatedCluster({ engines: [{ swarms }] });
    try {
      await shoal.run({ name: 'web' });
      shoal.engine().faults.fail(/POST .*\/restart/, gone);
      const seen = shoal.engine().requests.length;
      const answer = (await shoal.api.post('/containers/web/restart')).status;
      const requests = shoal.engine().requests.slice(seen);
      return { answer, starts: requests.filter(({ path }) => path.endsWith('/start')).length };
    } finally {
      await shoal.stop();
    }
  }

  it('is made good by a start on a node of a swarm, which forgets networks between stop and start', async () => {
    const swarms = new SwarmMembers();
    swarms.form('node-1', 'x');
    assert.deepEqual(await restarted(swarms), { answer: 204, starts: 1 });
  });

  it('is answered as the engine does on any other node', async () => {
    assert.deepEqual(await restarted(new SwarmMembers()), { answer: 404, starts: 0 });
  });
});

describe('stop and restart with a signal', () => {
  for (const apiVersion of ['1.41', '1.51']) {
    it(`reach the container on an engine of API ${apiVersion}`, async () => {
      const shoal = await startSimulatedCluster({ engines: [{ apiVersion }] });
      await shoal.run({ name: 'web' });

      await shoal.api.post('/containers/web/stop?signal=SIGKILL&t=1').expect(204);
      await shoal.api.post('/containers/web/stop?signal=SIGKILL&t=1').expect(304);
      await shoal.api.post('/containers/web/restart?signal=SIGKILL&t=1').expect(204);

      const body: unknown = (await shoal.api.get('/containers/web/json').expect(200)).body;
      assert.equal((body as { State: { Status: string } }).State.Status, 'running');
      const carriers = shoal.engine().requests.filter(({ query }) => query.get('signal') === 'SIGKILL');
      const expected = apiVersion === '1.41' ? '/kill' : '/stop';
      assert.ok(carriers.some(({ path }) => path.endsWith(expected)));
      await shoal.stop();
    });
  }
});
