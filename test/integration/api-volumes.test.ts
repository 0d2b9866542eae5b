import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

interface VolumeDocument {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

const messageOf = (body: unknown): string => (body as { message: string }).message;

describe('volumes of a cluster', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 2 });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const engine of shoal.engines) engine.faults.clear();
    const body: unknown = (await shoal.api.get('/containers/json?all=1')).body;
    await Promise.all((body as { Id: string }[]).map(({ Id }) => shoal.api.delete(`/containers/${Id}?force=1`)));
    await shoal.api.post(`/volumes/prune?filters=${JSON.stringify({ all: ['true'] })}`).expect(200);
  });

  const nodesWith = (name: string): string[] =>
    shoal.engines.filter((engine) => engine.volumes.has(name)).map((engine) => engine.name);

  it('creates a volume on one node, and answers with it when it exists', async () => {
    const first = await shoal.api
      .post('/volumes/create')
      .send({ Name: 'data', Labels: { a: 'b' } })
      .expect(201);
    const second = await shoal.api
      .post('/volumes/create')
      .send({ name: 'data', Labels: { other: 'x' } })
      .expect(201);

    assert.equal(nodesWith('data').length, 1);
    assert.deepEqual((first.body as VolumeDocument).Labels, { a: 'b' });
    assert.deepEqual((second.body as VolumeDocument).Labels, { a: 'b' });
  });

  it('names a volume that comes without a name', async () => {
    const body: unknown = (await shoal.api.post('/volumes/create').send({}).expect(201)).body;

    assert.match((body as VolumeDocument).Name, /^[0-9a-f]{64}$/);
  });

  it('inspects a volume by name and by node and name', async () => {
    await shoal.api.post('/volumes/create').send({ Name: 'data' });
    const [node] = nodesWith('data');

    await shoal.api.get('/volumes/data').expect(200);
    const body: unknown = (await shoal.api.get(`/volumes/${node ?? ''}/data`).expect(200)).body;
    assert.equal((body as VolumeDocument).Name, 'data');
  });

  it('creates a volume on the node that its name begins with', async () => {
    await shoal.api.post('/volumes/create').send({ Name: 'node-2/mine' }).expect(201);

    assert.deepEqual(nodesWith('mine'), ['node-2']);
  });

  it('refuses a name that two nodes have, and tells both', async () => {
    await shoal.api.post('/volumes/create').send({ Name: 'node-1/twin' }).expect(201);
    await shoal.api.post('/volumes/create').send({ Name: 'node-2/twin' }).expect(201);

    const answer = await shoal.api.get('/volumes/twin').expect(409);
    assert.match(messageOf(answer.body), /node-1\/twin, node-2\/twin/);
    await shoal.api.delete('/volumes/node-1/twin').expect(204);
    await shoal.api.get('/volumes/twin').expect(200);
  });

  it('answers 404 for a volume that no node has', async () => {
    await shoal.api.get('/volumes/nope').expect(404, { message: 'get nope: no such volume' });
    await shoal.api.delete('/volumes/nope').expect(404);
    await shoal.api.delete('/volumes/nope?force=1').expect(204);
  });

  it('shows a volume that a container made, and keeps it while it is used', async () => {
    const id = await shoal.run({ body: { HostConfig: { Binds: ['implicit:/data'] } } });
    await shoal.api.get('/volumes/implicit').expect(200);

    const answer = await shoal.api.delete('/volumes/implicit').expect(409);
    assert.match(messageOf(answer.body), /volume is in use/);
    await shoal.api.delete(`/containers/${id}?force=1`).expect(204);
    await shoal.api.delete('/volumes/implicit').expect(204);
    await shoal.api.get('/volumes/implicit').expect(404);
  });

  it('has no volumes of a swarm', async () => {
    await shoal.api.put('/volumes/data').send({}).expect(503);
    await shoal.api.post('/volumes/create').send({ Name: 'c', ClusterVolumeSpec: {} }).expect(503);
  });
});
