import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { infoJson } from '../../../../../src/api/views/info.ts';
import type { NodeFacts } from '../../../../../src/api/views/node-facts.ts';
import { nodeTableJson } from '../../../../../src/api/views/node-table.ts';
import { nodeWarnings } from '../../../../../src/api/views/node-warnings.ts';
import type { IdentityConflict } from '../../../../../src/cluster/locations.ts';
import type { ApiSettings } from '../../../../../src/api/settings.ts';
import { aNode, someSettings } from './a-node.ts';

const now = Date.parse('2026-01-01T00:01:30Z');
const down = aNode({
  id: 'ID2',
  name: 'node-2',
  address: '10.0.0.2:2375',
  status: 'Unhealthy',
  isHealthy: false,
  error: 'connection refused',
});

function info(...nodes: NodeFacts[]): Record<string, unknown> {
  return parsedInfo(someSettings, nodes);
}

function parsedInfo(settings: ApiSettings, nodes: readonly NodeFacts[]): Record<string, unknown> {
  const facts = {
    version: '1.51',
    settings,
    nodes,
    conflicts: [],
    waiting: [],
    staying: [],
    networks: 'on one node each',
    now,
  };
  return JSON.parse(infoJson(facts).toString()) as Record<string, unknown>;
}

function table(...nodes: NodeFacts[]): readonly (readonly [string, string])[] {
  return JSON.parse(`[${nodeTableJson(nodes, now).join('')}]`) as readonly (readonly [string, string])[];
}

function image(Id: string): { readonly Id: string; readonly Created: number } {
  return { Id, Created: 1 };
}

describe('info', () => {
  it('adds up the containers of every node, and the machines of the healthy ones', () => {
    const { Containers, ContainersRunning, ContainersPaused, ContainersStopped, NCPU, MemTotal } = info(aNode(), down);
    assert.deepEqual(
      { Containers, ContainersRunning, ContainersPaused, ContainersStopped, NCPU, MemTotal },
      {
        Containers: 12,
        ContainersRunning: 4,
        ContainersPaused: 2,
        ContainersStopped: 6,
        NCPU: 4,
        MemTotal: 8 * 1024 ** 3,
      },
    );
  });

  it('counts an image that several nodes have once', () => {
    const [one, two] = [aNode({ images: [image('a'), image('b')] }), aNode({ images: [image('b')] })];
    assert.equal(info(one, two)['Images'], 2);
  });

  it('claims what every node has that speaks of it', () => {
    const [old, newer] = [
      aNode({ info: { MemoryLimit: true, KernelMemory: true, DockerRootDir: '/var/lib/docker', NFd: 30 } }),
      aNode({ info: { MemoryLimit: false, DockerRootDir: '/var/lib/docker', NFd: 12 } }),
    ];
    const { MemoryLimit, KernelMemory, SwapLimit, DockerRootDir, NFd } = info(old, newer);
    assert.deepEqual(
      { MemoryLimit, KernelMemory, SwapLimit, DockerRootDir, NFd },
      { MemoryLimit: false, KernelMemory: true, SwapLimit: undefined, DockerRootDir: '/var/lib/docker', NFd: 42 },
    );
    assert.equal(info(old, aNode({ info: { DockerRootDir: '/data' } }))['DockerRootDir'], '');
  });

  it('says of texts that differ that they do, and takes what programs read from the first node', () => {
    const [one, two] = [
      aNode({
        info: { KernelVersion: '6.1', OperatingSystem: 'Debian', Driver: 'overlay2', LiveRestoreEnabled: true },
      }),
      aNode({ info: { KernelVersion: '6.2', OperatingSystem: 'Debian', Driver: 'zfs', LiveRestoreEnabled: false } }),
    ];
    const { KernelVersion, OperatingSystem, Driver, LiveRestoreEnabled } = info(one, two);
    assert.deepEqual(
      [KernelVersion, OperatingSystem, Driver, LiveRestoreEnabled],
      ['mixed', 'Debian', 'overlay2', false],
    );
  });

  const snapshotter = ['driver-type', 'io.containerd.snapshotter.v1'];
  for (const [statuses, expected] of [
    [[[snapshotter], [['x', 'y'], snapshotter]], [snapshotter]],
    [[[snapshotter], [['Backing Filesystem', 'extfs']]], []],
    [[[snapshotter], undefined], []],
  ] as const) {
    it(`claims the containerd store ${expected.length > 0 ? 'where every node has it' : 'only then'}`, () => {
      const nodes = statuses.map((DriverStatus) => aNode({ info: DriverStatus === undefined ? {} : { DriverStatus } }));
      assert.deepEqual(info(...nodes)['DriverStatus'], expected);
    });
  }

  it('is complete although no node has ever answered', () => {
    const whole = info(
      aNode({
        info: undefined,
        isHealthy: false,
        status: 'Pending',
        containers: { running: 0, paused: 0, stopped: 0 },
      }),
    );
    const { OSType, Plugins, Swarm, RegistryConfig, ServerVersion } = whole;
    assert.equal(OSType, 'linux');
    assert.deepEqual(Plugins, { Volume: [], Network: [], Authorization: null, Log: [] });
    assert.equal((Swarm as { LocalNodeState: string }).LocalNodeState, 'inactive');
    assert.ok(RegistryConfig);
    assert.match(String(ServerVersion), /^\d+\.\d+\.\d+$/);
  });

  it('begins its table with the role, the strategy, the filters and the reach of networks', () => {
    const settings = { ...someSettings, role: () => ({ name: 'replica', primary: '10.0.0.9:2375' }) };
    const { SystemStatus } = parsedInfo(settings, []);
    assert.deepEqual(SystemStatus, [
      ['Role', 'replica'],
      ['Primary', '10.0.0.9:2375'],
      ['Strategy', 'spread'],
      ['Filters', 'health, port'],
      ['Networks', 'on one node each'],
      ['Nodes', '0'],
    ]);
  });
});

describe('the table of nodes', () => {
  it('stands in info as it is, node by node', () => {
    const status = info(aNode(), down)['SystemStatus'] as readonly unknown[];
    assert.deepEqual(status.slice(-table(aNode(), down).length), table(aNode(), down));
  });

  it('tells everything about a node, in the words of the ancestor', () => {
    assert.deepEqual(table(aNode()), [
      ['Nodes', '1'],
      [' node-1', '10.0.0.1:2375'],
      ['  └ ID', 'ID1'],
      ['  └ Status', 'Healthy'],
      ['  └ Containers', '6 (2 Running, 1 Paused, 3 Stopped)'],
      ['  └ Reserved CPUs', '1.5 / 4'],
      ['  └ Reserved Memory', '512 MiB / 8 GiB'],
      ['  └ Labels', 'kernelversion=6.1.0, storage=ssd'],
      ['  └ UpdatedAt', '2026-01-01T00:00:00.000Z'],
      ['  └ DataAge', '0s'],
      ['  └ ServerVersion', '20.10.24'],
    ]);
  });

  for (const [title, node, expected] of [
    ['why a node is down', down, { Status: 'Unhealthy', Error: 'connection refused', DataAge: '90s' }],
    [
      'that a node was never read',
      aNode({ status: 'Pending', updatedAt: undefined }),
      { Status: 'Pending', UpdatedAt: 'never', DataAge: 'unknown' },
    ],
  ] as const) {
    it(`tells ${title}`, () => {
      const rows = new Map(table(node).map(([key, value]) => [key.replace('  └ ', ''), value]));
      for (const [key, value] of Object.entries(expected)) assert.equal(rows.get(key), value, key);
    });
  }
});

describe('the warnings about nodes', () => {
  const warnings = (nodes: readonly NodeFacts[], conflicts: readonly IdentityConflict[]): string[] =>
    nodeWarnings({ nodes, conflicts, now });

  it('name the nodes that do not answer', () => {
    assert.deepEqual(warnings([aNode(), down], []), [
      'WARNING: node node-2 (10.0.0.2:2375) is unhealthy: connection refused (what is shown of it is 90s old)',
    ]);
  });

  it('name cloned machines, the first of many', () => {
    const addresses = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    assert.deepEqual(warnings([], [{ kind: 'id', value: 'X', addresses }]), [
      'WARNING: a, b, c, d, e and 2 more report the same id X: were these machines cloned?',
    ]);
  });

  it("tell an engine's own warning once, with the nodes where not all give it", () => {
    const warns = (name: string, ...Warnings: string[]): NodeFacts => aNode({ name, info: { Warnings } });
    assert.deepEqual(warnings([warns('one', 'no swap', 'old'), warns('two', 'no swap')], []), ['no swap', 'old (one)']);
  });

  it('tell once what engines say of their own addresses', () => {
    const exposed = (name: string, address: string): NodeFacts =>
      aNode({ name, address, info: { Warnings: [`API is accessible on http://${address} without encryption`] } });
    const [one, two] = [exposed('one', '10.0.0.1:2375'), exposed('two', '10.0.0.11:2375')];
    assert.deepEqual(warnings([one], []), ['API is accessible on http://10.0.0.1:2375 without encryption']);
    assert.deepEqual(warnings([one, two], []), [
      'API is accessible on http://<address of the node> without encryption (one, two)',
    ]);
    assert.deepEqual(warnings([one, aNode({ name: 'three' })], []), [
      'API is accessible on http://10.0.0.1:2375 without encryption (one)',
    ]);
  });
});
