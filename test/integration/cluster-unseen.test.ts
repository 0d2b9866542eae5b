// What a manager that starts while a node is down says about names that this node may have.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { RememberedNames } from '../../src/cluster/names/remembered-names.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

describe('a manager that starts while a node is down', () => {
  let shoal: SimulatedCluster;

  afterEach(() => shoal.stop());

  async function startWithoutNode2(unseenNodes: 'refuse' | 'ignore' = 'refuse'): Promise<void> {
    shoal = await startSimulatedCluster({ engines: 2, announced: false, cluster: { unseenNodes } });
    shoal.engine('node-2').createDirectly({ name: 'web' });
    await shoal.engine('node-2').faults.refuse();
    shoal.announce(shoal.engines);
    await until('the other is healthy', () => shoal.cluster.members.healthyEngines.length === 1);
  }

  const creates = [
    { what: 'container "web"', path: '/containers/create?name=web', body: { Image: 'busybox' } },
    { what: 'volume "data"', path: '/volumes/create', body: { Name: 'data' } },
    { what: 'network "net"', path: '/networks/create', body: { Name: 'net' } },
    {
      what: 'volume "data"',
      path: '/containers/create',
      body: { Image: 'busybox', HostConfig: { Binds: ['data:/data'] } },
    },
  ];

  it('with swarm.unseen=refuse gives no name that may be taken there, and says which node it is and what helps', async () => {
    await startWithoutNode2();
    const { address } = shoal.engine('node-2');
    for (const { what, path, body } of creates) {
      const answer = await shoal.api.post(path).send(body).expect(503);
      const { message } = answer.body as { readonly message: string };
      assert.ok(message.includes(`a ${what} may exist on a node that has not answered`), message);
      assert.ok(message.includes(address) && message.includes('swarm.unseen=ignore'), message);
    }
    const made = [...shoal.engine('node-1').volumes.keys(), ...shoal.engine('node-1').containers.keys()];
    assert.deepEqual(made, []);
  });

  it('creates what needs no name, and what is named on one node', async () => {
    await startWithoutNode2();
    await shoal.run();
    await shoal.api.post('/volumes/create').send({}).expect(201);
    await shoal.api.post('/volumes/create').send({ Name: 'node-1/data' }).expect(201);
    await shoal.run({ body: { HostConfig: { Binds: ['data:/data'] } } });
    await shoal.api.post('/networks/create').send({ Name: 'node-1/net' }).expect(201);
  });

  it('knows the names as soon as the node has answered', async () => {
    await startWithoutNode2();
    await shoal.engine('node-2').faults.accept();
    await shoal.untilHealthy();
    await shoal.api.post('/containers/create?name=web').send({ Image: 'busybox' }).expect(409);
    await shoal.run({ name: 'other' });

    await shoal.engine('node-2').faults.refuse();
    await until('it is down again', () => shoal.cluster.members.healthyEngines.length === 1);
    await shoal.api.post('/containers/create?name=web').send({ Image: 'busybox' }).expect(409);
    await shoal.run({ name: 'third' });
  });

  it('gives every name once the node has been taken out', async () => {
    await startWithoutNode2();
    shoal.announce([shoal.engine('node-1')]);
    await until('it has left', () => shoal.cluster.members.engines.length === 1);
    await shoal.run({ name: 'web' });
  });

  it('gives every name where it is told to', async () => {
    await startWithoutNode2('ignore');
    await shoal.run({ name: 'web' });
  });

  describe('and remembers what the nodes had', () => {
    let folder: string;

    beforeEach(() => {
      folder = mkdtempSync(`${tmpdir()}/shoal-names-`);
    });

    afterEach(() => {
      rmSync(folder, { recursive: true });
    });

    const remembered = (): RememberedNames => new RememberedNames(`${folder}/names`, createSilentLogger());

    it('refuses the names of the lost node alone', async () => {
      const first = await startSimulatedCluster({ engines: 2, cluster: { rememberedNames: remembered() } });
      const { address } = first.engine('node-2');
      await first.api.post('/volumes/create').send({ Name: 'node-2/data' }).expect(201);
      await first.api.post('/networks/create').send({ Name: 'node-2/net' }).expect(201);
      await first.run({ name: 'web', body: { Env: ['constraint:node==node-2'] } });
      await first.stop();

      shoal = await startSimulatedCluster({
        engines: [{}, { port: Number(address.split(':')[1]) }],
        announced: false,
        cluster: { rememberedNames: remembered() },
      });
      await shoal.engine('node-2').faults.refuse();
      shoal.announce(shoal.engines);
      await until('the other is healthy', () => shoal.cluster.members.healthyEngines.length === 1);
      for (const { what, path, body } of creates) {
        const { text } = await shoal.api.post(path).send(body).expect(503);
        assert.ok(text.includes(address), `${what}: ${text}`);
      }
      await shoal.run({ name: 'other', body: { HostConfig: { Binds: ['fresh:/data'] } } });
      await shoal.api.post('/networks/create').send({ Name: 'other' }).expect(201);

      await until('the new ones are remembered', () => readFileSync(`${folder}/names`, 'utf8').includes('"fresh"'));
      assert.ok(readFileSync(`${folder}/names`, 'utf8').includes('"web"'), 'and those of the lost node still');
    });
  });
});
