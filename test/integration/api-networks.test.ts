import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

interface NetworkDocument {
  readonly Id: string;
  readonly Name: string;
  readonly Containers: Readonly<Record<string, { readonly Name: string }>>;
}

const messageOf = (body: unknown): string => (body as { message: string }).message;

describe('networks of a cluster', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 2 });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const engine of shoal.engines) engine.faults.clear();
    const body: unknown = (await shoal.api.get('/containers/json?all=1')).body;
    await Promise.all((body as { Id: string }[]).map(({ Id }) => shoal.api.delete(`/containers/${Id}?force=1`)));
    await shoal.api.post('/networks/prune').expect(200);
  });

  async function create(name: string, body: object = {}): Promise<string> {
    const answer = await shoal.api
      .post('/networks/create')
      .send({ Name: name, ...body })
      .expect(201);
    return (answer.body as { Id: string }).Id;
  }

  const inspect = async (reference: string): Promise<NetworkDocument> =>
    (await shoal.api.get(`/networks/${reference}`).expect(200)).body as NetworkDocument;

  it('creates a network on one node, and shows it at once by name and by id', async () => {
    const id = await create('front', { Labels: { a: 'b' } });

    assert.equal(shoal.engines.filter((engine) => engine.networks.has(id)).length, 1);
    assert.equal((await inspect('front')).Id, id);
    assert.equal((await inspect(id.slice(0, 12))).Name, 'front');
  });

  it('refuses a name that exists, also when a client does not ask for the check', async () => {
    await create('once');

    const answer = await shoal.api.post('/networks/create').send({ Name: 'once' }).expect(409);
    assert.equal(messageOf(answer.body), 'network with name once already exists');
    const body = shoal.engines
      .flatMap(({ networks }) => [...networks.values()])
      .find(({ name }) => name === 'once')?.body;
    assert.equal(body?.['CheckDuplicate'], true);
  });

  it('answers for bridge although every node has one', async () => {
    assert.equal((await inspect('bridge')).Name, 'bridge');
  });

  it('answers 404 for a network that no node has', async () => {
    await shoal.api.get('/networks/nope').expect(404, { message: 'network nope not found' });
    await shoal.api.delete('/networks/nope').expect(404);
  });

  it("leaves the engine's refusals about predefined networks as they are", async () => {
    await shoal.api.post('/networks/create').send({ Name: 'host' }).expect(403);
    await shoal.api.delete('/networks/bridge').expect(403);
  });

  it('puts a container beside the local network that it joins, and lists it there', async () => {
    const id = await create('home');
    const container = await shoal.run({ name: 'joined', body: { HostConfig: { NetworkMode: 'home' } } });

    assert.ok(shoal.engineOf(container).networks.has(id));
    assert.equal((await inspect('home')).Containers[container]?.Name, 'joined');
  });

  it('connects and disconnects a container by name, on its own node', async () => {
    const id = await create('extra');
    const node = shoal.engines.find((engine) => engine.networks.has(id))?.name ?? '';
    const container = await shoal.run({ name: 'web', body: { Env: [`constraint:node==${node}`] } });

    await shoal.api
      .post('/networks/extra/connect')
      .send({ Container: `${node}/web` })
      .expect(200);
    assert.ok((await inspect('extra')).Containers[container]);
    const row = await networksOfRow(container);
    assert.ok('extra' in row);

    await shoal.api.post(`/networks/${id}/disconnect`).send({ Container: 'web' }).expect(200);
    assert.equal((await inspect('extra')).Containers[container], undefined);
    assert.ok(!('extra' in (await networksOfRow(container))));
  });

  it('connects to bridge on the node of the container', async () => {
    await create('only');
    const container = await shoal.run({ name: 'bridged', body: { HostConfig: { NetworkMode: 'only' } } });

    await shoal.api.post('/networks/bridge/connect').send({ Container: 'bridged' }).expect(200);
    assert.ok('bridge' in (await networksOfRow(container)));
  });

  it('says where both are when a container cannot reach a local network', async () => {
    const id = await create('there');
    const owner = shoal.engines.find((engine) => engine.networks.has(id));
    const other = shoal.engines.find((engine) => engine !== owner);
    await shoal.run({ name: 'here', body: { Env: [`constraint:node==${other?.name ?? ''}`] } });

    const answer = await shoal.api.post('/networks/there/connect').send({ Container: 'here' }).expect(409);
    assert.match(messageOf(answer.body), new RegExp(`${owner?.name ?? ''}.*${other?.name ?? ''}`));
  });

  it('answers 404 when the container to disconnect is unknown, unless it is forced', async () => {
    await create('stale');

    await shoal.api.post('/networks/stale/disconnect').send({ Container: 'gone' }).expect(404);
    await shoal.api.post('/networks/stale/disconnect').send({ Container: 'gone', Force: true }).expect(404);
    const forced = shoal.engines.flatMap(({ requests }) => requests).filter(({ path }) => path.endsWith('/disconnect'));
    assert.ok(forced.length > 0);
  });

  it('disconnects by force a container whose node does not answer, and tells the node when it is back', async () => {
    const id = await create('lost');
    const container = await shoal.run({ name: 'astray', body: { HostConfig: { NetworkMode: 'lost' } } });
    const engine = shoal.engineOf(container);
    const disconnect = (body: object) => shoal.api.post(`/networks/${id}/disconnect`).send(body);
    await engine.faults.refuse();
    await until('the node is given up', () => shoal.cluster.members.healthyEngines.length === 1);
    await disconnect({ Container: 'astray' }).expect(503);
    await disconnect({ Container: 'astray', Force: true }).expect(200);

    await engine.faults.accept();
    await shoal.untilHealthy();
    await until('it is disconnected', async () => !('lost' in (await networksOfRow(container))));
  });

  it('deletes a network, but not one with containers', async () => {
    const id = await create('busy');
    const container = await shoal.run({ body: { HostConfig: { NetworkMode: 'busy' } } });
    const answer = await shoal.api.delete('/networks/busy').expect(403);
    assert.match(messageOf(answer.body), /has active endpoints/);

    await shoal.api.delete(`/containers/${container}?force=1`).expect(204);
    await shoal.api.delete(`/networks/${id}`).expect(204);
    await shoal.api.get('/networks/busy').expect(404);
  });

  it('deletes a network from which the last container has just gone, whatever its engine says at first', async () => {
    await create('late');
    for (const engine of shoal.engines)
      engine.faults.fail(/^DELETE .*\/networks\//, { status: 403, message: 'has active endpoints', times: 2 });
    await shoal.api.delete('/networks/late').expect(204);
    await shoal.api.get('/networks/late').expect(404);
  });

  it('refuses a network without IPv4 where an engine would make one with it', async () => {
    const answer = await shoal.api.post('/networks/create').send({ Name: 'six', EnableIPv4: false }).expect(400);

    assert.match(messageOf(answer.body), /1\.48/);
  });

  async function networksOfRow(id: string): Promise<object> {
    const body: unknown = (await shoal.api.get(`/containers/json?filters=${JSON.stringify({ id: [id] })}`)).body;
    return (body as { NetworkSettings: { Networks: object } }[])[0]?.NetworkSettings.Networks ?? {};
  }
});
