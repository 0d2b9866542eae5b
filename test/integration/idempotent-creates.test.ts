import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { startConnectedCluster, type ConnectedCluster } from '../support/connected-cluster.ts';
import { until } from '../support/until.ts';

describe('a create with a key', () => {
  const key = { 'idempotency-key': 'k1' };
  const labelled = { Labels: { 'com.docker.swarm.idempotency': 'k1' } };
  let connected: ConnectedCluster | undefined;

  async function start(...args: Parameters<typeof startConnectedCluster>): Promise<ConnectedCluster> {
    connected = await startConnectedCluster(...args);
    return connected;
  }

  afterEach(async () => {
    await connected?.stop();
    connected = undefined;
  });

  function containersOf({ simulated }: ConnectedCluster): number {
    return simulated.reduce((sum, { containers }) => sum + containers.size, 0);
  }

  it('makes one container, however often it is repeated, by header or by label', async () => {
    const shoal = await start([{}, {}]);
    const { id } = await shoal.create({}, { name: 'web', headers: key });

    assert.equal((await shoal.create({}, { name: 'web', headers: key })).id, id);
    assert.equal((await shoal.create(labelled, { name: '/web' })).id, id);
    assert.equal((await shoal.create(labelled)).id, id);
    assert.equal(containersOf(shoal), 1);
  });

  it('makes one container when it is repeated twenty times at once, without a name too', async () => {
    const shoal = await start([{}, {}]);
    const made = await Promise.all(Array.from({ length: 20 }, () => shoal.create({}, { headers: key })));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    assert.equal(containersOf(shoal), 1);
  });

  it('makes another container of another name or key, and is refused a name that has another key or none', async () => {
    const shoal = await start([{}, {}]);
    const { id } = await shoal.create({}, { name: 'web', headers: key });

    assert.notEqual((await shoal.create({}, { name: 'db', headers: key })).id, id);
    await assert.rejects(shoal.create({}, { name: 'web', headers: { 'idempotency-key': 'k2' } }), { status: 409 });
    await assert.rejects(shoal.create({}, { name: 'web' }), { status: 409 });
    await shoal.create({}, { headers: { 'idempotency-key': 'k2' } });
    assert.equal(containersOf(shoal), 3);
  });

  it('does not keep a key whose create was refused', async () => {
    const shoal = await start([{}]);
    shoal.at().faults.fail(/^POST \/containers\/create/, { status: 400, message: 'no', times: 1 });
    await assert.rejects(shoal.create({}, { headers: key }), { status: 400 });
    await shoal.create({}, { headers: key });
    assert.equal(containersOf(shoal), 1);
  });

  it('finds the container of a manager that died before it answered', async () => {
    const shoal = await start([{}]);
    const { id } = shoal.at().createDirectly({ name: 'web', labels: labelled.Labels, running: false });
    await until('it is seen', () => shoal.cluster.containers.find('web') !== undefined);
    assert.equal((await shoal.create({}, { name: 'web', headers: key })).id, id);
  });

  it('makes no second container while it is not known what became of the first', async () => {
    const shoal = await start([{}, {}], { createDoubtMs: 20_000 });
    for (const index of [0, 1]) shoal.at(index).faults.cut(/^POST \/containers\/create/, { times: 1 });
    const first = shoal.create({}, { headers: key });
    const second = shoal.create({}, { headers: key });
    await assert.rejects(first, { status: 503 });
    await assert.rejects(second, { status: 503 });
    await assert.rejects(shoal.create({}, { headers: key }), { status: 503 });
    assert.equal(containersOf(shoal), 0);

    const { id } = shoal.at(1).createDirectly({ labels: labelled.Labels });
    await until('the late container is found', async () => {
      const made = await shoal.create({}, { headers: key }).catch(() => undefined);
      return made?.id === id;
    });
  });
});
