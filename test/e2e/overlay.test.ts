// A network that spans nodes: engines that share a swarm get an attachable overlay where a client asks for a network.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

describe('a network over several nodes', () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({ engines: ['28.5', '20.10'] });
    const [manager, worker] = rig.engines;
    const host = manager!.machine.address;
    const init = await manager!.api('POST', '/swarm/init', { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: host });
    assert.equal(init.status, 200, JSON.stringify(init.json));
    const swarm = (await manager!.api('GET', '/swarm')).json;
    const joined = await worker!.api('POST', '/swarm/join', {
      ListenAddr: '0.0.0.0:2377',
      AdvertiseAddr: worker!.machine.address,
      RemoteAddrs: [`${host}:2377`],
      JoinToken: text(swarm, 'JoinTokens', 'Worker'),
    });
    assert.equal(joined.status, 200, JSON.stringify(joined.json));
    // A running manager learns of a new swarm within two minutes; one that starts learns of it at once.
    await rig.manager.restart();
    await rig.manager.waitUntilHealthy(2);
  });

  after(async () => {
    await rig.stop();
  });

  it('is created, shown once with the containers of all nodes, and removed when they have left', async () => {
    assert.equal((await rig.api('POST', '/networks/create', { Name: 'wide', Driver: '' })).status, 201);
    assert.equal(field((await rig.api('GET', '/networks/wide')).json, 'Driver'), 'overlay');
    for (const node of ['node-1', 'node-2']) {
      const run = ['run', '-d', '--name', `on-${node}`, '--network', 'wide', '-e', `constraint:node==${node}`];
      const { code, stderr } = await rig.docker([...run, 'busybox', 'sleep', '600']);
      assert.equal(code, 0, stderr);
    }
    const { json } = await rig.api('GET', '/networks/wide');
    const names = Object.values(field(json, 'Containers') as object).map((container) => text(container, 'Name'));
    assert.ok(names.includes('on-node-1') && names.includes('on-node-2'), names.join());
    const rows = elements((await rig.api('GET', '/networks')).json).filter((row) => field(row, 'Name') === 'wide');
    assert.equal(rows.length, 1);

    const ping = await rig.docker(['exec', 'on-node-1', 'ping', '-c', '1', 'on-node-2']);
    assert.equal(ping.code, 0, ping.stdout + ping.stderr);
    assert.equal((await rig.api('DELETE', '/networks/wide')).status, 403);
    await rig.docker(['rm', '-f', 'on-node-1', 'on-node-2']);
    await until('the network can go', async () => (await rig.api('DELETE', '/networks/wide')).status === 204, 30_000);
    assert.equal((await rig.api('GET', '/networks/wide')).status, 404);
  });
});
