import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { progressOf } from '../support/progress.ts';
import { startSimulatedCluster, type SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

describe('an image that only another node has', () => {
  let simulated: SimulatedCluster | undefined;

  afterEach(async () => {
    await simulated?.stop();
  });

  async function startWith(image: string): Promise<SimulatedCluster> {
    simulated = await startSimulatedCluster({
      engines: [
        { name: 'node-1', images: [image] },
        { name: 'node-2', images: [] },
      ],
    });
    return simulated;
  }

  function createOnNode2(cluster: SimulatedCluster, image: string) {
    return cluster.api.post('/containers/create').send({ Image: image, Env: ['constraint:node==node-2'] });
  }

  it('is pulled by the node that must run the container', async () => {
    const cluster = await startWith('app:1');

    const answer = await createOnNode2(cluster, 'app:1').expect(201);

    assert.equal(cluster.engineOf((answer.body as { Id: string }).Id).name, 'node-2');
    assert.ok(cluster.engine('node-2').requests.some(({ path }) => path.includes('/images/create')));
  });

  it('is copied from there when no registry gives it', async () => {
    const cluster = await startWith('missing/app:1');

    await createOnNode2(cluster, 'missing/app:1').expect(201);

    const [original] = cluster.engine('node-1').images.keys();
    assert.deepEqual([...cluster.engine('node-2').images.keys()], [original]);
  });

  it('is copied once for containers that are created at the same time', async () => {
    const cluster = await startWith('missing/app:1');

    const answers = await Promise.all([1, 2, 3, 4].map(() => createOnNode2(cluster, 'missing/app:1')));

    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201, 201],
    );
    const loads = cluster.engine('node-2').requests.filter(({ path }) => path.includes('/images/load'));
    assert.equal(loads.length, 1);
  });

  it('leaves the refusal to the client when the copy breaks off', async () => {
    const cluster = await startWith('missing/app:1');
    cluster.engine('node-1').faults.cut(/GET .*\/images\/get/);

    const answer = await createOnNode2(cluster, 'missing/app:1');

    assert.equal(answer.status, 503);
    assert.match((answer.body as { message: string }).message, /could not be copied from node node-1 to node node-2/);
    assert.equal(cluster.engine('node-2').containers.size, 0);
  });

  it('leaves nothing on the node when the load breaks off, and is there at the next attempt', async () => {
    const cluster = await startWith('missing/app:1');
    cluster.engine('node-2').faults.cut(/POST .*\/images\/load/, { times: 1 });

    const answer = await createOnNode2(cluster, 'missing/app:1').expect(503);

    assert.match((answer.body as { message: string }).message, /could not be copied from node node-1 to node node-2/);
    const { images, containers } = cluster.engine('node-2');
    assert.deepEqual([images.size, containers.size], [0, 0]);
    await createOnNode2(cluster, 'missing/app:1').expect(201);
  });

  it('is one of four at most that are copied at a time', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `missing/app:${index}`);
    simulated = await startSimulatedCluster({ engines: [{ images: names }, { images: [] }] });
    const { images, requests, faults } = simulated.engine('node-2');
    faults.delay(/POST .*\/images\/load/, 200);

    const creates = names.map(async (name) => await createOnNode2(simulated!, name).expect(201));
    let peak = 0;
    await until('all are there', () => {
      const begun = requests.filter(({ path }) => path.includes('/images/load')).length;
      peak = Math.max(peak, begun - images.size);
      return images.size === names.length;
    });
    await Promise.all(creates);
    assert.ok(peak <= 4, `${peak} at a time`);
  });

  it('is the rebuilt one, also for a node that has an earlier one of that name', async () => {
    simulated = await startSimulatedCluster({ engines: [{ images: ['app:1'] }, { images: ['app:1'] }] });
    const { api, cluster, engines } = simulated;
    const earlier = cluster.images.resolve('app:1').row.Id;

    await build(simulated, 'app:1');
    await until('the name has moved', () => cluster.images.resolve('app:1').row.Id !== earlier);
    const rebuilt = cluster.images.resolve('app:1').row.Id;
    assert.equal(engines.filter(({ images }) => images.has(rebuilt)).length, 1);

    for (const node of ['node-1', 'node-2', 'node-*']) {
      await api
        .post('/containers/create')
        .send({ Image: 'app:1', Env: [`constraint:node==${node}`] })
        .expect(201);
    }
    const imageIds = engines.flatMap(({ containers }) => [...containers.values()].map(({ imageId }) => imageId));
    assert.deepEqual(imageIds, [rebuilt, rebuilt, rebuilt]);
  });

  it('is the one that got the name last, when a build comes back to an earlier one', async () => {
    simulated = await startSimulatedCluster({ engines: [{ images: ['app:1'] }, { images: ['app:1'] }] });
    const { api, cluster } = simulated;
    const first = await build(simulated, 'app:1');
    await until('the first build has the name', () => cluster.images.resolve('app:1').row.Id === first);
    const second = await build(simulated, 'app:1');
    await until('the second build has the name', () => cluster.images.resolve('app:1').row.Id === second);

    await api.post(`/images/${first}/tag?repo=app&tag=1`).expect(201);
    await until('the name is back', () => cluster.images.resolve('app:1').row.Id === first);

    assert.notEqual(first, second);
  });
});

/** Resolves with the id of the new image. */
async function build({ api }: SimulatedCluster, reference: string): Promise<string> {
  const request = api.post('/build').query({ t: reference }).set('Content-Type', 'application/x-tar');
  const lines = await progressOf(request.send(Buffer.alloc(1024)));
  return lines.map(({ aux }) => (aux as { ID: string } | undefined)?.ID).find((id) => id !== undefined) ?? '';
}
