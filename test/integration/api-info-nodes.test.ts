import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

interface Info {
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly NCPU: number;
  readonly SystemStatus: readonly (readonly [string, string])[];
  readonly Warnings: readonly string[];
}

interface SwarmNode {
  readonly ID: string;
  readonly Description: { readonly Hostname: string };
  readonly Status: { readonly State: string; readonly Message?: string };
}

describe('what the host tells about itself', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({
      engines: [
        { apiVersion: '1.41', seedContainers: 2, labels: { storage: 'ssd' } },
        { apiVersion: '1.45', cpus: 8 },
        { apiVersion: '1.51' },
      ],
    });
  });

  after(() => shoal.stop());

  async function info(): Promise<Info> {
    return (await shoal.api.get('/info').expect(200)).body as Info;
  }

  async function nodes(filters: object = {}): Promise<readonly SwarmNode[]> {
    const query = encodeURIComponent(JSON.stringify(filters));
    return (await shoal.api.get(`/nodes?filters=${query}`).expect(200)).body as readonly SwarmNode[];
  }

  async function hostNames(filters: object): Promise<readonly string[]> {
    return (await nodes(filters)).map(({ Description }) => Description.Hostname);
  }

  it('adds up its nodes and lists each of them in info', async () => {
    const { Containers, ContainersRunning, NCPU, SystemStatus, Warnings } = await info();
    assert.deepEqual([Containers, ContainersRunning, NCPU, Warnings], [2, 2, 16, []]);
    const [first, ...others] = shoal.engines.map(({ name, address }) => [` ${name}`, address]);
    for (const row of [['Nodes', '3'], first, ...others, ['  └ Containers', '2 (2 Running, 0 Paused, 0 Stopped)']]) {
      assert.ok(
        SystemStatus.some(([key, value]) => key === row?.[0] && value === row[1]),
        String(row),
      );
    }
  });

  it('answers version and ping with one window of versions', async () => {
    const version = (await shoal.api.get('/version').expect(200)).body as Record<string, string>;
    const ping = await shoal.api.head('/_ping').expect(200);
    assert.equal(ping.headers['api-version'], version['ApiVersion']);
    assert.equal(ping.headers['content-length'], '0');
    await shoal.api.get('/v1.41/_ping').expect(200, 'OK');
  });

  it('lists its members as nodes and finds them by id, name and beginning of an id', async () => {
    const all = await nodes();
    assert.deepEqual(
      all.map(({ Description, Status }) => [Description.Hostname, Status.State]),
      [
        ['node-1', 'ready'],
        ['node-2', 'ready'],
        ['node-3', 'ready'],
      ],
    );
    const [first] = all;
    assert.ok(first);
    for (const reference of [first.ID, 'node-1', first.ID.slice(0, 12)]) {
      const answer = await shoal.api.get(`/nodes/${encodeURIComponent(reference)}`).expect(200);
      assert.equal((answer.body as SwarmNode).ID, first.ID);
    }
    await shoal.api.get('/nodes/nope').expect(404, { message: 'node nope not found' });
  });

  for (const [filters, expected] of [
    [{ name: ['node-2'] }, ['node-2']],
    [{ name: { 'node-2': true, 'node-3': true } }, ['node-2', 'node-3']],
    [{ label: ['storage=ssd'] }, ['node-1']],
    [{ 'node.label': ['storage'] }, []],
    [{ role: ['worker'] }, ['node-1', 'node-2', 'node-3']],
    [{ role: ['manager'] }, []],
    [{ membership: ['accepted'] }, ['node-1', 'node-2', 'node-3']],
    [{ membership: ['pending'] }, []],
    [{ id: ['nope'] }, []],
  ] as const) {
    it(`lists of the nodes with ${JSON.stringify(filters)}: ${expected.join(', ') || 'none'}`, async () => {
      assert.deepEqual(await hostNames(filters), expected);
    });
  }

  it('shows the containers of a node as its tasks', async () => {
    const query = encodeURIComponent('{"node":{"node-1":true}}');
    const tasks = (await shoal.api.get(`/tasks?filters=${query}`).expect(200)).body as readonly {
      readonly ServiceID: string;
      readonly Slot: number;
      readonly Status: { readonly State: string };
    }[];
    assert.deepEqual(tasks.map(({ ServiceID, Slot, Status }) => [ServiceID, Slot, Status.State]).sort(), [
      ['node-1-seed-1', 1, 'running'],
      ['node-1-seed-2', 1, 'running'],
    ]);
    await shoal.api.get('/tasks').expect(503);
    await shoal.api.get(`/nodes?filters=${encodeURIComponent('{"nope":["x"]}')}`).expect(400);
  });

  for (const [method, path, status] of [
    ['get', '/swarm', 503],
    ['get', '/services', 503],
    ['get', '/secrets', 503],
    ['get', '/configs', 503],
    ['post', '/swarm/leave', 503],
    ['post', '/swarm/init', 501],
    ['post', '/swarm/join', 501],
  ] as const) {
    it(`answers ${method} ${path} with ${status}, as a host that is in no swarm`, async () => {
      const answer = await shoal.api[method](path).expect(status);
      assert.ok((answer.body as { readonly message: string }).message.length > 0);
    });
  }

  it('tells that a node is down, why, and since when nothing was heard of it', async () => {
    await shoal.engine('node-2').faults.refuse();
    await until('the node is down', () => shoal.cluster.members.healthyEngines.length === 2);
    const { SystemStatus, NCPU, Warnings } = await info();
    const rows = SystemStatus.slice(SystemStatus.findIndex(([key]) => key === ' node-2'));
    const value = (name: string): string => rows.find(([key]) => key === `  └ ${name}`)?.[1] ?? '';
    assert.equal(value('Status'), 'Unhealthy');
    assert.match(value('Error'), /refused|reset|hang up/i);
    assert.match(value('DataAge'), /^\d+s$/);
    assert.equal(NCPU, 8);
    assert.match(Warnings.join('\n'), /node-2 .* is unhealthy/);
    const down = (await nodes({ name: ['node-2'] }))[0];
    assert.equal(down?.Status.State, 'down');
    assert.ok(down.Status.Message);
    await shoal.engine('node-2').faults.accept();
    await shoal.untilHealthy();
    assert.deepEqual((await info()).Warnings, []);
  });
});
