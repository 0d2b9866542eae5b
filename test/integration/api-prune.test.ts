import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

const anonymous = 'a'.repeat(64);
const messageOf = (body: unknown): string => (body as { message: string }).message;
const filters = (value: object): string => `filters=${encodeURIComponent(JSON.stringify(value))}`;

describe('pruning a cluster', () => {
  let shoal: SimulatedCluster;

  beforeEach(async () => {
    shoal = await startSimulatedCluster({ engines: [{ apiVersion: '1.41' }, { apiVersion: '1.51' }] });
  });

  afterEach(() => shoal.stop());

  describe('volumes', () => {
    beforeEach(async () => {
      for (const node of ['node-1', 'node-2']) {
        await shoal.api
          .post('/volumes/create')
          .send({ Name: `${node}/named-${node}`, Labels: { keep: node } })
          .expect(201);
      }
      await shoal.api
        .post('/volumes/create')
        .send({ Name: `node-1/${anonymous}` })
        .expect(201);
    });

    const left = (): string[] => shoal.engines.flatMap(({ volumes }) => [...volumes.keys()]).sort();

    it('never deletes a named volume for a client of 1.42 or newer, not even on an older engine', async () => {
      const body: unknown = (await shoal.api.post('/v1.51/volumes/prune').expect(200)).body;

      assert.deepEqual((body as { VolumesDeleted: string[] }).VolumesDeleted, [anonymous]);
      assert.deepEqual(left(), ['named-node-1', 'named-node-2']);
      assert.ok(!shoal.engine('node-1').requests.some(({ path }) => path === '/volumes/prune'));
    });

    it('deletes named volumes when the client asks for all', async () => {
      await shoal.api.post(`/v1.51/volumes/prune?${filters({ all: ['true'] })}`).expect(200);

      assert.deepEqual(left(), []);
    });

    it('keeps to the labels on old and new engines alike', async () => {
      await shoal.api.post(`/v1.51/volumes/prune?${filters({ all: ['1'], 'label!': ['keep=node-1'] })}`).expect(200);

      assert.deepEqual(left(), ['named-node-1']);
    });

    it('deletes all unused volumes for a client before 1.42', async () => {
      await shoal.api.post('/v1.41/volumes/prune').expect(200);

      assert.deepEqual(left(), []);
    });

    it('keeps a volume that a container uses', async () => {
      await shoal.run({ body: { HostConfig: { Binds: ['named-node-1:/data'] } }, isStarted: false });
      await shoal.api.post(`/v1.51/volumes/prune?${filters({ all: ['true'] })}`).expect(200);

      assert.deepEqual(left(), ['named-node-1']);
    });

    it('prunes the named nodes only', async () => {
      await shoal.api.post(`/v1.51/volumes/prune?${filters({ all: ['true'], node: ['node-2'] })}`).expect(200);

      assert.deepEqual(left(), [anonymous, 'named-node-1']);
    });

    it('refuses a filter that is not known', async () => {
      await shoal.api.post(`/v1.51/volumes/prune?${filters({ nope: ['1'] })}`).expect(400);
    });
  });

  it('removes stopped containers on every node and shows none of them afterwards', async () => {
    const ids = [await shoal.run({ isStarted: false }), await shoal.run({ isStarted: false })];
    const running = await shoal.run();
    const body: unknown = (await shoal.api.post('/containers/prune').expect(200)).body;

    assert.deepEqual((body as { ContainersDeleted: string[] }).ContainersDeleted.sort(), ids.sort());
    const rows: unknown = (await shoal.api.get('/containers/json?all=1')).body;
    assert.deepEqual(
      (rows as { Id: string }[]).map(({ Id }) => Id),
      [running],
    );
  });

  it('removes unused networks and images, and says null where there was nothing', async () => {
    await shoal.api.post('/networks/create').send({ Name: 'unused' }).expect(201);
    const networks = await shoal.api.post('/networks/prune').expect(200);
    const images = await shoal.api.post(`/images/prune?${filters({ dangling: ['false'] })}`).expect(200);
    const again = await shoal.api.post('/networks/prune').expect(200);

    assert.deepEqual(networks.body, { NetworksDeleted: ['unused'] });
    assert.ok(
      (images.body as { ImagesDeleted: { Untagged?: string }[] }).ImagesDeleted.some(
        ({ Untagged }) => Untagged === 'busybox:latest',
      ),
    );
    assert.deepEqual((await shoal.api.get('/images/json')).body, []);
    assert.deepEqual(again.body, { NetworksDeleted: null });
  });

  it('succeeds when one node fails, and names it in a warning', async () => {
    const id = await shoal.run({ isStarted: false });
    const failing = shoal.engines.find((engine) => !engine.containers.has(id));
    failing?.faults.fail(/containers\/prune/, { status: 409, message: 'a prune operation is already running' });
    const answer = await shoal.api.post('/containers/prune').expect(200);
    const body: unknown = answer.body;
    const { headers } = answer;

    assert.deepEqual((body as { ContainersDeleted: string[] }).ContainersDeleted, [id]);
    assert.equal(headers['warning'], `199 shoal "${failing?.name ?? ''}: a prune operation is already running"`);
  });

  it('fails with the name of a node when every node fails', async () => {
    for (const engine of shoal.engines)
      engine.faults.fail(/images\/prune/, { status: 409, message: 'already running' });
    const answer = await shoal.api.post('/images/prune').expect(409);

    assert.equal(messageOf(answer.body), 'node-1: already running');
  });

  it('does not wait for a node that is lost meanwhile', async () => {
    shoal.engine('node-2').faults.hang(/build\/prune/);
    const answer = shoal.api.post('/build/prune');
    const done = answer.then(({ status }) => status);
    shoal.engine('node-2').faults.freeze();

    assert.equal(await done, 200);
  });

  describe('the build cache', () => {
    const queryOf = (node: string): URLSearchParams | undefined =>
      shoal.engine(node).requests.findLast(({ path }) => path === '/build/prune')?.query;

    it('keeps as much as the client says, in the words of each engine', async () => {
      await shoal.api.post('/v1.51/build/prune?reserved-space=1000').expect(200);

      assert.equal(queryOf('node-1')?.get('keep-storage'), '1000');
      assert.equal(queryOf('node-2')?.get('reserved-space'), '1000');
    });

    it('is not pruned on an engine that does not know the limit', async () => {
      const { headers } = await shoal.api.post('/v1.51/build/prune?max-used-space=1000').expect(200);

      assert.equal(queryOf('node-1'), undefined);
      assert.match(String(headers['warning']), /node-1/);
    });

    it('takes an empty filter', async () => {
      await shoal.api.post('/build/prune?filters=').expect(200);
    });
  });
});
