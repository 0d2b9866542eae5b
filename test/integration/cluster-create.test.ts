import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { ApiError } from '../../src/common/errors.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { Engine } from '../../src/engine/engine.ts';
import { startConnectedCluster } from '../support/connected-cluster.ts';
import type { ConnectedCluster } from '../support/connected-cluster.ts';
import { until } from '../support/until.ts';

describe('creating containers on the cluster', () => {
  let connected: ConnectedCluster | undefined;

  async function start(...args: Parameters<typeof startConnectedCluster>): Promise<ConnectedCluster> {
    connected = await startConnectedCluster(...args);
    return connected;
  }

  afterEach(async () => {
    await connected?.stop();
    connected = undefined;
  });

  const three = [{}, {}, {}];

  it('shows the container in lookups as soon as the create is answered', async () => {
    const { create, cluster } = await start(three);
    const { id, engine } = await create({}, { name: 'web' });
    const location = cluster.containers.resolve('web');
    assert.equal(location.record.id, id);
    assert.equal(location.engine, engine);
    assert.equal(cluster.containers.resolve(id.slice(0, 12)).record.id, id);
    assert.equal(cluster.containers.resolve(`${engine.name}/web`).record.id, id);
  });

  it('lets exactly as many containers take a host port at once as there are nodes', async () => {
    const { create, simulated } = await start(three);
    const body = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } };
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => create(body)));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3);
    for (const result of results) {
      if (result.status === 'rejected') assertStatus(result.reason, 409, /port 8080\/tcp is taken/);
    }
    assert.deepEqual(
      simulated.map(({ containers }) => containers.size),
      [1, 1, 1],
    );
  });

  it('spreads two hundred creates at once so that no node is more than one above another', async () => {
    // With deadlines that a process meets which is busy with two hundred creates and three engines.
    const { create, simulated } = await start(three, {
      engineFactory: (address) => new Engine({ address, logger: createSilentLogger() }),
    });
    const created = await Promise.all(Array.from({ length: 200 }, () => create()));
    assert.equal(new Set(created.map(({ id }) => id)).size, 200);
    const counts = simulated.map(({ containers }) => containers.size).sort((a, b) => a - b);
    assert.deepEqual(counts, [66, 67, 67]);
  }).timeout(30_000);

  it('gives a name to one of twenty creates at once', async () => {
    const { create } = await start(three);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => create({}, { name: 'web' })));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of results) {
      if (result.status === 'rejected') {
        assertStatus(
          result.reason,
          409,
          /^Conflict\. The container name "\/web" is already in use by container "[0-9a-f]{64}"\. You have to remove/,
        );
      }
    }
  });

  it('gives the engine the share that cores come to in classic mode, and counts them', async () => {
    const { create, cluster, at } = await start([{}], { cpuMode: 'classic' });
    const cpus = cluster.members.healthyEngines[0]?.info?.NCPU ?? 0;
    const { id } = await create({ HostConfig: { CpuShares: 1 } });
    assert.ok(cpus > 0);
    assert.deepEqual(at().containers.get(id)?.body['HostConfig'], { CpuShares: Math.ceil(1024 / cpus) });
  });

  it('forwards unknown fields and takes placement rules out of the environment', async () => {
    const { create, simulated } = await start(three);
    const { id, engine } = await create({ Env: ['A=b', 'constraint:node==node-2'], Tomorrow: { x: [1] } });
    assert.equal(engine.name, 'node-2');
    const body = simulated[1]!.containers.get(id)!.body;
    assert.deepEqual(body['Tomorrow'], { x: [1] });
    assert.deepEqual(body['Env'], ['A=b']);
  });

  it('answers 404 for an image that no node has, and for nothing else', async () => {
    const { create } = await start(three);
    await assert.rejects(create({ Image: 'nope:1' }), (error) => assertStatus(error, 404, /^No such image: nope:1$/));
    const cases: readonly (readonly [object, string | undefined, number, RegExp])[] = [
      [{ Image: '' }, undefined, 400, /^no command specified$/],
      [{ Image: '', Cmd: ['true'] }, undefined, 400, /^invalid reference format$/],
      [{ Image: 'UPPER' }, undefined, 400, /must be lowercase/],
      [{}, 'a b', 400, /^Invalid container name \(a b\)/],
      [{ HostConfig: { VolumesFrom: ['x'] } }, undefined, 400, /^No such container: x$/],
      [{ HostConfig: { IpcMode: 'container:x' } }, undefined, 400, /^No such container: x$/],
      [{ HostConfig: { Links: ['x:y'] } }, undefined, 400, /^could not get container for x: No such container: x$/],
      [{ Env: ['constraint:node==absent'] }, undefined, 409, /node-1: .*\n.*node-2: .*\n.*node-3: /],
    ];
    for (const [body, name, status, message] of cases) {
      await assert.rejects(create(body, name === undefined ? {} : { name }), (error) =>
        assertStatus(error, status, message),
      );
    }
  });

  it('lets a missing network and a missing network container be found out at the start', async () => {
    const { create } = await start([{}]);
    assert.ok((await create({ HostConfig: { NetworkMode: 'later' } })).id);
    assert.ok((await create({ HostConfig: { NetworkMode: 'container:later' } })).id);
  });

  it('puts a container beside the ones it refers to and spells them as their engine does', async () => {
    const { create, simulated, at } = await start(three);
    for (let index = 0; index < 3; index += 1) at(index).createDirectly({ name: 'db' });
    await until('all are seen', () => [...connected!.cluster.containers.all()].length === 3);
    const { id, engine } = await create({ HostConfig: { VolumesFrom: ['node-3/db:ro'] } });
    assert.equal(engine.name, 'node-3');
    const host = simulated[2]!.containers.get(id)!.body['HostConfig'] as { VolumesFrom: string[] };
    assert.deepEqual(host.VolumesFrom, ['db:ro']);
    await assert.rejects(create({ HostConfig: { VolumesFrom: ['db'] } }), (error) =>
      assertStatus(error, 409, /node-1\/db, node-2\/db, node-3\/db/),
    );
  });

  it('goes to the node that has the image among equals, and has another one get it that carries less', async () => {
    const { create, simulated } = await start([{ images: [] }, {}, { images: [] }]);
    assert.equal((await create({})).engine.name, 'node-2');
    const others = [(await create({})).engine.name, (await create({})).engine.name];
    assert.deepEqual(others.sort(), ['node-1', 'node-3']);
    const pulls = simulated.flatMap(({ requests }) => requests.filter(({ path }) => path === '/images/create'));
    assert.equal(pulls.length, 2);
  });

  it('goes to a node that has the image when the better one cannot get it', async () => {
    const { create, at } = await start([{ images: [] }, {}]);
    await create({ Env: ['constraint:node==node-2'] });
    at(0).faults.fail(/^POST \/images\/create/, { status: 500, message: 'no route to the registry' });
    assert.equal((await create({})).engine.name, 'node-2');
    await assert.rejects(create({ Env: ['constraint:node==node-1'] }), (error) =>
      assertStatus(error, 500, /no route to the registry/),
    );
  });

  it('keeps copies of a service apart although one node alone has the image, unless the other cannot get it', async () => {
    const { create, at } = await start([{}, { images: [] }, { images: [] }]);
    const Labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' };
    assert.equal((await create({ Labels })).engine.name, 'node-1');
    for (const index of [1, 2])
      at(index).faults.fail(/^POST \/images\/(create|load)/, { status: 500, message: 'no space left on device' });
    assert.equal((await create({ Labels })).engine.name, 'node-1');
    for (const index of [1, 2]) at(index).faults.clear();
    assert.notEqual((await create({ Labels })).engine.name, 'node-1');
  });

  it('keeps a port of a range for each container that was created and not started yet', async () => {
    const { create } = await start([{}, {}]);
    const body = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '10000-10001' }] } } };
    for (let count = 0; count < 4; count += 1) await create(body);
    await assert.rejects(create(body), (error) => assertStatus(error, 409, /no free port left in 10000-10001\/tcp/));
  });

  it('gives no GPU to two containers', async () => {
    const { create } = await start([{ labels: { gpu: '2' } }, { labels: { gpu: '1' } }, {}]);
    const body = { HostConfig: { DeviceRequests: [{ Count: 1, Capabilities: [['gpu']] }] } };
    const placed = await Promise.all([create(body), create(body), create(body)]);
    assert.deepEqual(placed.map(({ engine }) => engine.name).sort(), ['node-1', 'node-1', 'node-2']);
    await assert.rejects(create(body), (error) => assertStatus(error, 409, /node-1: 1 gpu wanted, 0 available/));
  });

  it('goes to the next node when one refuses connections', async () => {
    const { create, at, cluster } = await start([{}, {}]);
    await at(0).faults.refuse();
    await until(
      'the broken connections are noticed',
      () => cluster.members.engineNamed('node-1')?.lastError !== undefined,
    );
    const created = await Promise.all([create(), create(), create()]);
    assert.deepEqual(new Set(created.map(({ engine }) => engine.name)), new Set(['node-2']));
  });

  it('tries as many other nodes after a 500 as it was told to, and tells of every attempt', async () => {
    const { create, at } = await start(three, { createRetry: 1 });
    at(0).faults.fail(/^POST \/containers\/create/, { status: 500, message: 'first is full' });
    assert.equal((await create()).engine.name, 'node-2');
    for (const index of [1, 2])
      at(index).faults.fail(/^POST \/containers\/create/, { status: 500, message: 'full too' });
    await assert.rejects(create({}, { name: 'web' }), (error) =>
      assertStatus(error, 500, /full[^]*tried before:\n {2}node-\d: /),
    );
    for (const index of [0, 1, 2]) at(index).faults.clear();
    assert.ok((await create({}, { name: 'web' })).id, 'the name is free again');
  });

  it('passes a 500 on as it is when it may not retry', async () => {
    const { create, at } = await start([{}, {}]);
    for (const index of [0, 1]) at(index).faults.fail(/create/, { status: 500, message: 'no space left' });
    await assert.rejects(create(), (error) => assertStatus(error, 500, /^no space left$/));
  });

  it('adopts a container whose creation was not answered', async () => {
    const { create, at, cluster } = await start([{}]);
    at().faults.cut(/^POST \/containers\/create/, { afterWork: true, times: 1 });
    const { id } = await create({}, { name: 'web' });
    assert.equal(at().containers.size, 1);
    assert.equal(cluster.containers.resolve('web').record.id, id);
  });

  it('never tries another node when the answer was cut off, and frees the name once the engine has spoken', async () => {
    const { create, at } = await start([{}, {}]);
    for (const index of [0, 1]) at(index).faults.cut(/^POST \/containers\/create/, { times: 1 });
    const first = create({}, { name: 'web' });
    await assert.rejects(create({}, { name: 'web' }), (error) => assertStatus(error, 409, /already in use/));
    await assert.rejects(first, (error) => assertStatus(error, 503, /cannot be reached/));
    assert.equal(at(0).containers.size + at(1).containers.size, 0);
    at(0).faults.clear();
    at(1).faults.clear();
    await until(
      'the name is free',
      async () => (await create({}, { name: 'web' }).catch(() => undefined)) !== undefined,
    );
  });

  it('keeps the name for a container that comes long after its create was cut off', async () => {
    const { create, at, cluster } = await start([{}, {}], { createDoubtMs: 20_000 });
    for (const index of [0, 1]) at(index).faults.cut(/^POST \/containers\/create/, { times: 1 });
    const first = create({}, { name: 'web' });
    const refusal: unknown = await create({}, { name: 'web' }).catch((error: unknown) => error);
    const swarmId = /by container "([0-9a-f]{64})"/.exec(String(refusal))?.[1] ?? '';
    await assert.rejects(first, (error) => assertStatus(error, 503, /cannot be reached/));
    await assert.rejects(create({}, { name: 'web' }), (error) => assertStatus(error, 409, /already in use/));

    const { id } = at(1).createDirectly({ name: 'web', labels: { 'com.docker.swarm.id': swarmId } });

    await until('it is seen', () => cluster.containers.find('web')?.record.id === id);
    await assert.rejects(create({}, { name: 'web' }), (error) => assertStatus(error, 409, new RegExp(`"${id}"`)));
  });

  it('gives up an engine that hangs, and finds the container when the engine goes on', async () => {
    const { create, at, cluster } = await start([{}]);
    at().faults.freeze();
    const creating = create({}, { name: 'web' });
    await assert.rejects(creating, (error) => assertStatus(error, 503, /cannot be reached/));
    await assert.rejects(create({}, { name: 'web' }), (error) => error instanceof ApiError && error.status >= 409);
    at().faults.thaw();
    await until('the engine is back', () => cluster.members.healthyEngines.length === 1);
    await until('its container is seen', () => cluster.containers.find('web') !== undefined);
    assert.equal(at().containers.size, 1);
    assert.equal(cluster.members.nodes[0]?.activeContainers, 1);
  });

  it('answers 503 when no node is healthy', async () => {
    const { create, at, cluster } = await start([{}]);
    await at().faults.refuse();
    await until('the engine is lost', () => cluster.members.healthyEngines.length === 0);
    await assert.rejects(create(), (error) => assertStatus(error, 503, /healthy/));
  });

  it('does not count stopped containers as load or their ports as taken', async () => {
    const { create, at, cluster } = await start([{}, {}]);
    for (let count = 0; count < 20; count += 1) at(0).exit(at(0).createDirectly().id, 0);
    at(1).createDirectly();
    const body = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '80' }] } } };
    const old = at(0).createDirectly({ name: 'old', body });
    const port = { ip: '', port: 80, protocol: 'tcp' };
    await until('the running one is seen', () => cluster.members.nodes[0]?.isPortTaken(port));
    at(0).exit(old.id, 0);
    await until(
      'all is seen',
      () => cluster.members.nodes[0]?.activeContainers === 0 && cluster.members.nodes[0].totalContainers === 21,
    );
    assert.equal(cluster.members.nodes[0]?.isPortTaken(port), false);
    assert.equal((await create(body)).engine.name, 'node-1', 'the node without running containers is the emptier one');
  });

  it('counts stopped containers, with their ports and memory, when it is told to', async () => {
    const { create, at, cluster } = await start([{}, {}], { load: 'all' });
    const body = { HostConfig: { Memory: 512 * 1024 ** 2, PortBindings: { '80/tcp': [{ HostPort: '80' }] } } };
    const old = at(0).createDirectly({ name: 'old', body });
    at(0).exit(old.id, 0);
    await until('it is seen', () => cluster.members.nodes[0]?.reservedMemoryBytes === 512 * 1024 ** 2);
    assert.equal((await create()).engine.name, 'node-2');
    assert.equal((await create(body)).engine.name, 'node-2');
    await assert.rejects(create(body), (error) => assertStatus(error, 409, /port 80\/tcp is taken/));
  });

  it('writes an id on each container by which it can be found, and lets a copied one not pass for another', async () => {
    const { create, cluster } = await start([{}]);
    const first = await create();
    const swarmId = cluster.containers.resolve(first.id).record.row.Labels?.['com.docker.swarm.id'] ?? '';
    assert.equal(cluster.containers.resolve(swarmId).record.id, first.id);
    const copy = await create({ Labels: { 'com.docker.swarm.id': swarmId } });
    assert.notEqual(cluster.containers.resolve(copy.id).record.row.Labels?.['com.docker.swarm.id'], swarmId);
    assert.equal(cluster.containers.resolve(swarmId).record.id, first.id);
  });

  it('places a container that replaces another on the node where that one still holds the port', async () => {
    const { create, cluster, at } = await start([{}]);
    const HostConfig = { PortBindings: { '80/tcp': [{ HostPort: '80' }] } };
    const old = await create({ HostConfig }, { name: 'shop-web-1' });
    await cluster.containers
      .resolve(old.id)
      .engine.client.request({ method: 'POST', path: `/containers/${old.id}/start` });
    await assert.rejects(create({ HostConfig }), (error) => assertStatus(error, 409, /port 80\/tcp is taken/));
    assert.ok((await create({ HostConfig }, { name: `${old.id.slice(0, 12)}_shop-web-1` })).id);
    assert.equal(at().containers.size, 2);
  });

  it('keeps a rename unique against creates and other renames', async () => {
    const { create, cluster } = await start([{}, {}]);
    await create({}, { name: 'aa' });
    await create({}, { name: 'bb' });
    const location = cluster.containers.resolve('aa');
    const rename = (name: string): Promise<unknown> =>
      cluster.renames.rename(location, name, () =>
        location.engine.client.request({
          method: 'POST',
          path: `/containers/${location.record.id}/rename`,
          query: { name },
        }),
      );
    await assert.rejects(rename('bb'), (error) => assertStatus(error, 409, /already in use/));
    await assert.rejects(rename('aa'), (error) => assertStatus(error, 400, /same name as its current name/));
    const renamed = rename('cc');
    await assert.rejects(create({}, { name: 'cc' }), (error) => assertStatus(error, 409, /already in use/));
    await renamed;
    assert.equal(cluster.containers.resolve('cc').record.id, location.record.id);
    assert.ok((await create({}, { name: 'aa' })).id);
  });
});

function assertStatus(error: unknown, status: number, message: RegExp): true {
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.status, status, error.message);
  assert.match(error.message, message);
  return true;
}
