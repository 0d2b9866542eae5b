import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { ApiError } from '../../src/common/errors.ts';
import { startConnectedCluster } from '../support/connected-cluster.ts';
import type { ConnectedCluster } from '../support/connected-cluster.ts';
import { until } from '../support/until.ts';

const project = { 'com.docker.compose.project': 'shop' };

describe('networks, volumes, images and members of the cluster', () => {
  let connected: ConnectedCluster | undefined;

  async function start(...args: Parameters<typeof startConnectedCluster>): Promise<ConnectedCluster> {
    connected = await startConnectedCluster(...args);
    return connected;
  }

  afterEach(async () => {
    await connected?.stop();
    connected = undefined;
  });

  const forClient = { headers: {}, version: '1.41', signal: new AbortController().signal };

  it('creates a volume once, on one node, however many ask for it at once', async () => {
    const { cluster, simulated } = await start([{}, {}, {}]);
    const create = (): ReturnType<typeof cluster.createVolume> =>
      cluster.createVolume({ ...forClient, body: { Name: 'data', Labels: { a: 'b' } } });
    const created = await Promise.all(Array.from({ length: 10 }, create));
    assert.equal(new Set(created.map(({ engine }) => engine.name)).size, 1);
    assert.equal(simulated.filter(({ volumes }) => volumes.has('data')).length, 1);
    assert.deepEqual(cluster.volumes.resolve('data').row.Labels, { a: 'b' });
    const other = cluster.createVolume({ ...forClient, body: { Name: 'data', Driver: 'nfs' } });
    await assert.rejects(other, (error) => assertStatus(error, 409, /must be unique/));
  });

  it('creates a volume on the node that its name or its rules say', async () => {
    const { cluster, at } = await start([{}, {}]);
    await cluster.createVolume({ ...forClient, body: { Name: 'node-2/logs' } });
    assert.ok(at(1).volumes.has('logs'));
    const Labels = {
      'com.docker.swarm.whitelists': '["node==node-2|node-1"]',
      'com.docker.swarm.constraints': '["node!=node-1"]',
    };
    await cluster.createVolume({ ...forClient, body: { Name: 'cache', Labels } });
    assert.ok(at(1).volumes.has('cache'));
  });

  it('puts a container where its volume is', async () => {
    const { cluster, create, at } = await start([{}, {}, {}]);
    at(2).createDirectly({ body: { HostConfig: { Binds: ['data:/d'] } } });
    await until('the volume is seen', () => cluster.members.nodes[2]!.hasVolume('data'));
    const created = await create({ HostConfig: { Mounts: [{ Type: 'volume', Source: 'data', Target: '/d' }] } });
    assert.equal(created.engine.name, 'node-3');
  });

  it('refuses a volume name that several nodes have, and takes node/name', async () => {
    const { cluster, create, at } = await start([{}, {}]);
    for (const index of [0, 1]) at(index).createDirectly({ body: { HostConfig: { Binds: ['data:/d'] } } });
    await until('both are seen', () => cluster.members.nodes.every((node) => node.hasVolume('data')));
    assert.throws(
      () => cluster.volumes.resolve('data'),
      (error) => assertStatus(error, 409, /node-1\/data, node-2\/data/),
    );
    assert.equal(cluster.volumes.resolve('node-2/data').engine.name, 'node-2');
    const Binds = ['data:/d'];
    await assert.rejects(create({ HostConfig: { Binds } }), (error) =>
      assertStatus(error, 409, /ambiguous.*node-1\/data, node-2\/data/),
    );
    assert.equal((await create({ HostConfig: { Binds: ['node-2/data:/d'] } })).engine.name, 'node-2');
    assert.equal((await create({ HostConfig: { Binds }, Env: ['constraint:node==node-1'] })).engine.name, 'node-1');
    assert.throws(
      () => cluster.volumes.resolve('absent'),
      (error) => assertStatus(error, 404, /^get absent: no such volume$/),
    );
  });

  it('keeps the networks and volumes of a project on one node', async () => {
    const { cluster, create } = await start([{}, {}, {}]);
    const network = await cluster.createNetwork({ ...forClient, body: { Name: 'shop_default', Labels: project } });
    const volume = await cluster.createVolume({ ...forClient, body: { Name: 'shop_db', Labels: project } });
    assert.equal(volume.engine, network.engine);
    const HostConfig = { NetworkMode: 'shop_default', Binds: ['shop_db:/d'] };
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await create({ HostConfig, Labels: project })).engine, network.engine);
    }
  });

  it('moves a volume that nobody has used to the node that its first container needs', async () => {
    const { cluster, create, at, simulated } = await start([{}, {}]);
    const { engine } = await cluster.createNetwork({ ...forClient, body: { Name: 'net' } });
    const elsewhere = simulated.find(({ name }) => name !== engine.name)!;
    for (let count = 0; count < 3; count += 1)
      at(simulated.findIndex(({ name }) => name === engine.name)).createDirectly();
    await until('the load is seen', () => [...cluster.containers.all()].length === 3);
    const volume = await cluster.createVolume({ ...forClient, body: { Name: 'data', Labels: { a: 'b' } } });
    assert.equal(volume.engine.name, elsewhere.name);
    const container = await create({ HostConfig: { NetworkMode: 'net', Binds: ['data:/d'] } });
    assert.equal(container.engine, engine);
    assert.equal(elsewhere.volumes.has('data'), false);
    assert.equal(cluster.volumes.resolve('data').engine, engine);
    assert.deepEqual(cluster.volumes.resolve('data').row.Labels, { a: 'b' });
  });

  it('never moves a volume that a container has used, even when that is gone', async () => {
    const { cluster, create, at } = await start([{}, {}]);
    await cluster.createVolume({ ...forClient, body: { Name: 'data' } });
    const used = await create({ Env: ['constraint:node==node-1'], HostConfig: { Binds: ['data:/d'] } });
    at(0).removeDirectly(used.id);
    await until('it is gone', () => cluster.containers.find(used.id) === undefined);
    await cluster.createNetwork({ ...forClient, body: { Name: 'node-2/net' } });
    const both = create({ HostConfig: { NetworkMode: 'net', Binds: ['data:/d'] } });
    await assert.rejects(both, (error) => assertStatus(error, 409, /node-1: network net.*\n.*node-2: volume data/));
  });

  it('gives a network name once and finds the network by name, id, prefix and node/name', async () => {
    const { cluster } = await start([{}, {}]);
    const create = (): Promise<unknown> => cluster.createNetwork({ ...forClient, body: { Name: 'net' } });
    const results = await Promise.allSettled([create(), create(), create()]);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    await assert.rejects(create(), (error) => assertStatus(error, 409, /^network with name net already exists$/));
    const { row, engines } = cluster.networks.resolve('net');
    for (const reference of [row.Id, row.Id.slice(0, 12), `${engines[0].name}/net`]) {
      assert.equal(cluster.networks.resolve(reference).row.Id, row.Id);
    }
    assert.throws(
      () => cluster.networks.resolve('absent'),
      (error) => assertStatus(error, 404, /^network absent not found$/),
    );
  });

  it('creates a network on the node that its name says, and none when no node has that name', async () => {
    const { cluster, at } = await start([{}, {}]);
    await cluster.createNetwork({ ...forClient, body: { Name: 'node-2/net' } });
    const names = (): string[] => [0, 1].flatMap((index) => [...at(index).networks.values()].map(({ name }) => name));
    assert.equal(cluster.networks.resolve('net').engines[0].name, 'node-2');
    const create = cluster.createNetwork({ ...forClient, body: { Name: 'node-3/net' } });
    await assert.rejects(create, (error) => assertStatus(error, 404, /^No such node: node-3$/));
    assert.equal(names().filter((name) => name.includes('net')).length, 1);
  });

  it('answers for the predefined networks with the first node and leaves their creation to the engine', async () => {
    const { cluster } = await start([{}, {}]);
    assert.equal(cluster.networks.resolve('bridge').engines[0].name, 'node-1');
    const create = cluster.createNetwork({ ...forClient, body: { Name: 'bridge' } });
    await assert.rejects(create, (error) => assertStatus(error, 403, /predefined/));
  });

  it('names the engines of an image in the order of their names', async () => {
    const images = ['busybox:latest'];
    const { cluster } = await start([
      { name: 'c', images },
      { name: 'a', images: [] },
      { name: 'b', images },
    ]);
    for (const reference of ['busybox', 'docker.io/library/busybox:latest', cluster.images.resolve('busybox').row.Id]) {
      const { engines } = cluster.images.resolve(reference);
      assert.deepEqual(
        engines.map(({ name }) => name),
        ['b', 'c'],
      );
    }
    const { row } = cluster.images.resolve('busybox');
    assert.equal(cluster.images.resolve(row.Id.slice(7, 19)).row.Id, row.Id);
    assert.throws(
      () => cluster.images.resolve('nope'),
      (error) => assertStatus(error, 404, /^No such image: nope:latest$/),
    );
  });

  it('finds the engine of an exec instance that it was not told of', async () => {
    const { cluster, create } = await start([{}, {}, {}]);
    const { id, engine } = await create();
    await engine.client.request({ method: 'POST', path: `/containers/${id}/start` });
    const answer = await engine.client.request({
      method: 'POST',
      path: `/containers/${id}/exec`,
      body: { Cmd: ['sh'] },
    });
    const { Id: execId } = answer.body as { Id: string };
    assert.equal(await cluster.execs.resolve(execId, forClient.signal), engine);
    const absent = cluster.execs.resolve('0'.repeat(64), forClient.signal);
    await assert.rejects(absent, (error) => assertStatus(error, 404, /^No such exec instance: 0+$/));
  });

  it('keeps the parts of a build on one engine', async () => {
    const { cluster, create } = await start([{}, {}]);
    const first = cluster.builds.engineFor({ clientKey: 'alice' });
    for (let count = 0; count < 4; count += 1) await create({ Env: [`constraint:node==${first.name}`] });
    assert.equal(cluster.builds.engineFor({ clientKey: 'alice' }), first);
    const other = cluster.builds.engineFor({ clientKey: 'bob' });
    assert.notEqual(other, first, 'a new client goes to the least loaded engine');
    const partner = cluster.builds.untilMet('session s', 60_000, forClient.signal);
    cluster.builds.meet(['session s', 'build b'], other);
    await partner;
    assert.equal(cluster.builds.engineFor({ clientKey: 'alice', meetings: ['session s'] }), other);
    assert.equal(cluster.builds.engineFor({ clientKey: 'carol', meetings: ['build b'] }), other);
    assert.equal(cluster.builds.engineFor({ clientKey: 'alice' }), first, 'what others decided does not move a client');
    await cluster.builds.untilMet('session of nobody', 60_000, AbortSignal.abort());
  });

  it('serves cloned machines under different names and reports them', async () => {
    const clone = { name: 'node', id: 'SAME' };
    const { cluster, create, simulated } = await start([clone, clone]);
    const identities = cluster.members.engines.map((engine) => cluster.members.identityOf(engine));
    const addresses = simulated.map(({ address }) => address).sort();
    assert.deepEqual(new Set(identities.map(({ id }) => id)), new Set(['SAME', `SAME|${addresses[1]!}`]));
    assert.deepEqual(new Set(identities.map(({ name }) => name)), new Set(['node', `node-${addresses[1]!}`]));
    assert.deepEqual(
      cluster.members.identityConflicts.map(({ kind, value }) => `${kind} ${value}`),
      ['id SAME', 'name node'],
    );
    await Promise.all([create(), create(), create(), create()]);
    assert.deepEqual(
      simulated.map(({ containers }) => containers.size),
      [2, 2],
    );
    for (const { name } of identities)
      assert.equal(cluster.members.identityOf(cluster.members.engineNamed(name)!).name, name);
  });

  it('forgets everything of an engine that leaves, and finds it again when it returns', async () => {
    const { cluster, create, simulated, announce } = await start([{}, {}]);
    await create({}, { name: 'one' });
    await create({}, { name: 'two' });
    const gone = cluster.containers.resolve('two').engine;
    await announce(simulated.filter(({ address }) => address !== gone.address));
    assert.equal(gone.state, 'gone');
    assert.equal(cluster.containers.find('two'), undefined);
    assert.equal(cluster.members.engines.length, 1);
    assert.equal(cluster.containers.resolve('one').record.name, 'one');
    await announce(simulated);
    await until('it is back', () => cluster.containers.find('two') !== undefined);
  });

  it('keeps an engine that is announced as not alive but answers', async () => {
    const { cluster, simulated } = await start([{}, {}]);
    const entries = simulated.map(({ address }) => ({ address, alive: false }));
    await cluster.follow(
      (async function* () {
        yield await Promise.resolve(entries);
      })(),
      forClient.signal,
    );
    assert.equal(cluster.members.healthyEngines.length, 2);
    assert.equal(cluster.readiness.isReady, true);
  });
});

function assertStatus(error: unknown, status: number, message: RegExp): true {
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.status, status, error.message);
  assert.match(error.message, message);
  return true;
}
