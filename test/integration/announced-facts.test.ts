import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { startSimulatedEngine, type SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { until } from '../support/until.ts';

const gibibyte = 1024 ** 3;

describe('what agents announce of their nodes', () => {
  let shoal: SimulatedCluster;
  const others: SimulatedEngine[] = [];

  afterEach(async () => {
    await shoal.stop();
    for (const engine of others.splice(0)) await engine.stop();
  });

  /** Node-1 with facts, and node-2 without. */
  function announce(facts: object): void {
    const [first, second] = shoal.engines;
    shoal.announce([{ address: first!.address, facts: JSON.stringify(facts) }, { address: second!.address }]);
  }

  async function nodeOf(body: object): Promise<string> {
    return shoal.engineOf(await shoal.run({ body })).name;
  }

  it('gives labels to constraints and to info, over those of the engine', async () => {
    shoal = await startSimulatedCluster({
      engines: [{ labels: { zone: 'old', os: 'x' } }, { labels: { zone: 'old' } }],
    });
    announce({ labels: { zone: 'new' } });
    await until('the label counts', () => shoal.cluster.members.engineNamed('node-1')?.labels['zone'] === 'new');
    assert.equal(await nodeOf({ Env: ['constraint:zone==new'] }), 'node-1');
    assert.equal(await nodeOf({ Env: ['constraint:zone==old'] }), 'node-2');
    assert.match((await shoal.api.get('/info')).text, /os=x.*zone=new/);
    announce({ labels: { zone: 'newest' } });
    await until('the label counts', () => shoal.cluster.members.engineNamed('node-1')?.labels['zone'] === 'newest');
    assert.match((await shoal.api.get('/info')).text, /zone=newest/);
    announce({});
    await until('the label is gone', () => shoal.cluster.members.engineNamed('node-1')?.labels['zone'] === 'old');
  });

  it('keeps containers from ports that programs hold', async () => {
    shoal = await startSimulatedCluster();
    announce({ ports: ['tcp/8080', 'tcp/10.9.9.9:9090'] });
    await until('the ports count', () => shoal.cluster.members.engineNamed('node-1')?.announced.ports.length === 2);
    const published = (HostPort: string, HostIp = ''): object => ({
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp, HostPort }] } },
    });
    assert.equal(await nodeOf(published('8080')), 'node-2');
    const full = await shoal.api.post('/containers/create').send({ Image: 'busybox', ...published('8080') });
    assert.equal(full.status, 409);
    assert.equal(await nodeOf(published('9090')), 'node-2');
    assert.equal(await nodeOf(published('9090', '127.0.0.1')), 'node-1');
  });

  it('puts nothing on a full disk, and says so', async () => {
    shoal = await startSimulatedCluster();
    announce({ disk: 90 });
    await until('the disk counts', () => shoal.cluster.members.engineNamed('node-1')?.announced.diskPercent === 90);
    for (let count = 0; count < 3; count += 1) assert.equal(await nodeOf({}), 'node-2');
    const refused = await shoal.api
      .post('/containers/create')
      .send({ Image: 'busybox', Env: ['constraint:node==node-1'] });
    assert.equal(refused.status, 409);
    assert.match(refused.text, /its disk is at least 90% full/);
    announce({ disk: 85 });
    await until('there is room again', () => shoal.cluster.members.engineNamed('node-1')?.announced.diskPercent === 85);
    assert.equal(await nodeOf({ Env: ['constraint:node==node-1'] }), 'node-1');
  });

  it('leaves to the node what is reserved for it', async () => {
    shoal = await startSimulatedCluster({ engines: [{ memoryBytes: 8 * gibibyte }, { memoryBytes: 8 * gibibyte }] });
    announce({ memory: 6 * gibibyte, cpus: 35e8 });
    await until('it counts', () =>
      shoal.cluster.members.nodes.some(({ totalMemoryBytes }) => totalMemoryBytes === 2 * gibibyte),
    );
    assert.equal(await nodeOf({ HostConfig: { Memory: 3 * gibibyte } }), 'node-2');
    assert.equal(await nodeOf({ HostConfig: { NanoCpus: 1e9 } }), 'node-2');
  });

  it('serves a node whose agent is silent as before, and warns of it', async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    const { address } = shoal.engine();
    shoal.announce([{ address, alive: false }]);
    const warnings = async (): Promise<string> =>
      String(((await shoal.api.get('/info')).body as { Warnings: unknown }).Warnings);
    await until('the silence shows', async () => (await warnings()).includes('its agent is silent'));
    assert.equal(shoal.cluster.members.healthyEngines.length, 1);
    await shoal.run();
    shoal.announce([{ address }]);
    await until('the warning is gone', async () => (await warnings()) === '');
  });

  it('knows a node by its own id at a new address, and forgets the old one as soon as nobody vouches for it', async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    const old = shoal.engine();
    const facts = JSON.stringify({ id: 'the-node' });
    shoal.announce([{ address: old.address, facts }]);
    await until('the id counts', () => shoal.cluster.members.engineNamed('the-node') !== undefined);
    await old.stop();
    await until('the node is lost', () => shoal.cluster.members.healthyEngines.length === 0);
    const moved = await startSimulatedEngine({ name: 'renamed', id: 'a-new-engine' });
    others.push(moved);
    shoal.announce([
      { address: old.address, alive: false, facts },
      { address: moved.address, facts },
    ]);
    await until('the node is back', () => shoal.cluster.members.healthyEngines.length === 1);
    assert.deepEqual(
      shoal.cluster.members.engines.map((engine) => [engine.address, shoal.cluster.members.identityOf(engine).id]),
      [[moved.address, 'the-node']],
    );
    assert.deepEqual(shoal.cluster.members.identityConflicts, []);
  });

  it('serves both of a node and its copy, warns of them, and keeps the one that dies', async () => {
    shoal = await startSimulatedCluster();
    const facts = JSON.stringify({ id: 'the-node' });
    const [one, two] = shoal.engines;
    shoal.announce(shoal.engines.map(({ address }) => ({ address, facts })));
    await until('the conflict is seen', () => shoal.cluster.members.identityConflicts.length === 1);
    assert.equal(shoal.cluster.members.healthyEngines.length, 2);
    assert.match((await shoal.api.get('/info')).text, /the-node/);
    await shoal.run();
    await shoal.run();
    shoal.announce([
      { address: one!.address, alive: false, facts },
      { address: two!.address, facts },
    ]);
    assert.equal(shoal.cluster.members.engines.length, 2);
  });
});
