import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

describe('names of containers', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
  });

  after(() => shoal.stop());

  it('are given once in the cluster, however many ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shoal.api.post('/containers/create?name=only').send({ Image: 'busybox' })),
    );

    const created = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status === 409);
    assert.equal(created.length, 1);
    assert.equal(refused.length, 19);
    assert.match(
      (refused[0]?.body as { message: string }).message,
      /^Conflict\. The container name "\/only" is already in use/,
    );
  });

  it('are free again once the container is removed', async () => {
    const id = await shoal.run({ name: 'brief' });
    await shoal.api.delete(`/containers/${id}?force=1`).expect(204);

    await shoal.run({ name: 'brief' });
  });

  it('are free again when the container removed itself', async () => {
    const id = await shoal.run({ name: 'passing', body: { HostConfig: { AutoRemove: true } } });
    const waiting = shoal.api.post(`/containers/${id}/wait?condition=removed`).then((answer) => answer);
    await until('the wait has arrived', () => shoal.engineOf(id).requests.some(({ path }) => path.endsWith('/wait')));
    shoal.engineOf(id).exit(id, 0);
    await waiting;

    await shoal.api.get('/containers/passing/json').expect(404);
    await shoal.run({ name: 'passing' });
  });

  it('that exist on two nodes are refused with both spelled out, and reached by node', async () => {
    shoal.engine('node-1').createDirectly({ name: 'twin' });
    shoal.engine('node-2').createDirectly({ name: 'twin' });
    await until(
      'both show',
      () => [...shoal.cluster.containers.all()].filter(({ record }) => record.name === 'twin').length === 2,
    );

    const answer = await shoal.api.get('/containers/twin/json');
    assert.ok([400, 409].includes(answer.status));
    assert.match((answer.body as { message: string }).message, /node-1\/twin.*node-2\/twin/s);
    await shoal.api.get('/containers/node-2/twin/json').expect(200);
  });

  it('survive a rename and a create that fight for one name', async () => {
    await shoal.run({ name: 'left' });

    const [rename, create] = await Promise.all([
      shoal.api.post('/containers/left/rename?name=right'),
      shoal.api.post('/containers/create?name=right').send({ Image: 'busybox' }),
    ]);

    assert.deepEqual([rename.status === 204, create.status === 201].filter(Boolean).length, 1);
  });
});
