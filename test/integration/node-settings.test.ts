import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openLocalState } from '../../discovery/state/local.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();

interface SwarmNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Availability: string; readonly Labels: Readonly<Record<string, string>> };
}

describe('nodes as operators set them', () => {
  let shoal: SimulatedCluster;
  let directory: string;

  beforeEach(async () => {
    directory = mkdtempSync(`${tmpdir()}/shoal-settings-`);
    shoal = await startSimulatedCluster({
      engines: [{ labels: { storage: 'ssd', rack: '1' } }, {}],
      cluster: {
        state: openLocalState({ logger, path: `${directory}/state` }),
        withdraw: (address) => {
          shoal.announce(shoal.engines.filter((engine) => engine.address !== address));
          return Promise.resolve();
        },
      },
    });
  });

  afterEach(async () => {
    await shoal.stop();
    rmSync(directory, { recursive: true });
  });

  async function inspect(name: string): Promise<SwarmNode> {
    return (await shoal.api.get(`/nodes/${name}`).expect(200)).body as SwarmNode;
  }

  /** As the CLI: the specification as it is, with a change. */
  async function update(name: string, change: object): Promise<void> {
    const { ID, Version, Spec } = await inspect(name);
    await shoal.api
      .post(`/nodes/${encodeURIComponent(ID)}/update?version=${Version.Index}`)
      .send({ ...Spec, ...change })
      .expect(200);
  }

  it('shows what was set and refuses a change from an older version in the words of swarm mode', async () => {
    const { Version, Spec } = await inspect('node-1');
    await update('node-1', { Availability: 'pause', Labels: { rack: '7' } });
    const changed = await inspect('node-1');
    assert.deepEqual([changed.Spec.Availability, changed.Spec.Labels], ['pause', { rack: '7' }]);
    await shoal.api
      .post(`/nodes/node-1/update?version=${Version.Index}`)
      .send(Spec)
      .expect(500, { message: 'rpc error: code = Unknown desc = update out of sequence' });
    const filters = encodeURIComponent('{"node.label":["rack=7"]}');
    const listed = (await shoal.api.get(`/nodes?filters=${filters}`).expect(200)).body as readonly SwarmNode[];
    assert.deepEqual(
      listed.map(({ ID }) => ID),
      [changed.ID],
    );
    const info = (await shoal.api.get('/info').expect(200)).body as { SystemStatus: readonly string[][] };
    assert.ok(info.SystemStatus.some(([key, value]) => key === '  └ Availability' && value === 'pause'));
  });

  it('places nothing on a paused node and says why, and leaves what runs there alone', async () => {
    const id = await shoal.run({ name: 'web', body: { Env: ['constraint:node==node-1'] } });
    await update('node-1', { Availability: 'pause' });
    const refused = await shoal.api
      .post('/containers/create')
      .send({ Image: 'busybox', Env: ['constraint:node==node-1'] })
      .expect(409);
    assert.match((refused.body as { message: string }).message, /node-1: node is paused/);
    for (let i = 0; i < 3; i += 1) assert.equal(shoal.engineOf(await shoal.run()).name, 'node-2');
    await shoal.api.post(`/containers/${id}/restart`).expect(204);
    await update('node-1', { Availability: 'active' });
    assert.equal(shoal.engineOf(await shoal.run()).name, 'node-1');
  });

  it('counts labels of nodes in constraints, over those of the engine', async () => {
    await update('node-2', { Labels: { rack: '2', zone: 'b' } });
    await update('node-1', { Labels: { rack: '9' } });
    for (const [constraint, node] of [
      ['zone==b', 'node-2'],
      ['rack==9', 'node-1'],
      ['storage==ssd', 'node-1'],
    ] as const) {
      assert.equal(shoal.engineOf(await shoal.run({ body: { Env: [`constraint:${constraint}`] } })).name, node);
    }
    await shoal.api
      .post('/containers/create')
      .send({ Image: 'busybox', Env: ['constraint:rack==1'] })
      .expect(409);
  });

  it('is as it was when the manager starts again', async () => {
    await update('node-1', { Availability: 'drain', Labels: { rack: '7' } });
    const { ID } = await inspect('node-1');
    const state = openLocalState({ logger, path: `${directory}/state` });
    const next = await startSimulatedCluster({ engines: [{}, {}], cluster: { state } });
    try {
      const again = (await next.api.get('/nodes/node-1').expect(200)).body as SwarmNode;
      assert.deepEqual([again.ID, again.Spec.Availability, again.Spec.Labels], [ID, 'drain', { rack: '7' }]);
    } finally {
      await next.stop();
    }
  });

  it('removes a node that is down, and one that is not by force alone', async () => {
    const { ID } = await inspect('node-2');
    await update('node-2', { Labels: { rack: '2' } });
    const refused = await shoal.api.delete('/nodes/node-2').expect(400);
    assert.match((refused.body as { message: string }).message, /is not down and can't be removed/);
    await shoal.engine('node-2').faults.refuse();
    await until('the node is down', () => shoal.cluster.members.healthyEngines.length === 1);
    await shoal.api.delete(`/nodes/${encodeURIComponent(ID)}`).expect(200);
    await shoal.api.get('/nodes/node-2').expect(404);
    await shoal.engine('node-2').faults.accept();
    shoal.announce(shoal.engines);
    await shoal.untilHealthy();
    assert.deepEqual((await inspect('node-2')).Spec.Labels, {});
  });

  for (const [what, query, body, status] of [
    ['an unknown availability', 'version=0', { Role: 'worker', Availability: 'gone' }, 400],
    ['a role that is none', 'version=0', { Role: 'boss', Availability: 'active' }, 400],
    ['a promotion', 'version=0', { Role: 'manager', Availability: 'active' }, 501],
    ['a version that is none', 'version=x', { Role: 'worker', Availability: 'active' }, 400],
    ['no version', '', { Role: 'worker', Availability: 'active' }, 400],
  ] as const) {
    it(`refuses ${what} with ${status}`, async () => {
      await shoal.api.post(`/nodes/node-1/update?${query}`).send(body).expect(status);
    });
  }
});
