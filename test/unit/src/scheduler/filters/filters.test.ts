import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { CreateBody } from '../../../../../src/docker/types.ts';
import { filterNames, openFilters } from '../../../../../src/scheduler/filters/index.ts';
import { placementRequest, type RequestOptions } from '../../../../../src/scheduler/request.ts';
import { Scheduler } from '../../../../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../../../../src/scheduler/strategies/index.ts';
import { aNode, gib, type ContainerFacts, type NodeFacts } from '../a-node.ts';
import { aScheduler, namesFor, refusalOf, run, withRules } from '../place.ts';

/** Nodes a, b, c with these facts; `expected` are those that take the container, `reason` is the first refused node's. */
interface Case {
  readonly title: string;
  readonly nodes: Readonly<Record<string, NodeFacts>>;
  readonly body?: CreateBody;
  readonly options?: RequestOptions;
  readonly expected: string;
  readonly reason?: string;
}

const published = (port: string, hostIp = ''): CreateBody => {
  const [number = '', protocol = 'tcp'] = port.split('/');
  return { HostConfig: { PortBindings: { [`1/${protocol}`]: [{ HostIp: hostIp, HostPort: number }] } } };
};

const holding = (port: number, protocol = 'tcp', ip = ''): ContainerFacts => ({ ports: [{ ip, port, protocol }] });

const facts = {
  storagedriver: 'overlay2',
  kernelversion: '5.10.0-21-amd64',
  operatingsystem: 'Debian GNU/Linux 11',
  ostype: 'linux',
  arch: 'x86_64',
  version: '24.0.7',
};

const oldId = '0123456789ab'.padEnd(64, '0');

const cases: Readonly<Record<string, readonly Case[]>> = {
  health: [
    {
      title: 'leaves out nodes that take no containers, with their reason',
      nodes: { a: { refusal: 'unhealthy: connection refused' }, b: {} },
      expected: 'b',
      reason: 'unhealthy: connection refused',
    },
  ],
  port: [
    {
      title: 'leaves out nodes where the port is taken',
      nodes: { a: { containers: [holding(80)] }, b: { containers: [holding(81)] } },
      body: published('80'),
      expected: 'b',
      reason: 'port 80/tcp is taken',
    },
    {
      title: 'lets one port be used by two protocols',
      nodes: { a: { containers: [holding(53, 'udp')] } },
      body: published('53/tcp'),
      expected: 'a',
    },
    {
      title: 'lets one port be used at two addresses',
      nodes: { a: { containers: [holding(80, 'tcp', '10.0.0.1')] } },
      body: published('80', '10.0.0.2'),
      expected: 'a',
    },
    {
      title: 'takes the unspecified address for all of them',
      nodes: { a: { containers: [holding(80, 'tcp', '10.0.0.1')] }, b: {} },
      body: published('80', '0.0.0.0'),
      expected: 'b',
      reason: 'port 80/tcp is taken',
    },
    {
      title: 'does not count what stopped containers published',
      nodes: { a: { containers: [{ ...holding(80), isActive: false }] } },
      body: published('80'),
      expected: 'a',
    },
    {
      title: 'finds one free port of a range enough',
      nodes: { a: { containers: [holding(8000), holding(8001)] }, b: { containers: [holding(8000)] } },
      body: published('8000-8001'),
      expected: 'b',
      reason: 'no free port left in 8000-8001/tcp',
    },
    {
      title: 'needs as many ports of a range as it is given',
      nodes: { a: { containers: [holding(8000)] }, b: {} },
      body: {
        HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8000-8001' }], '81/tcp': [{ HostPort: '8000-8001' }] } },
      },
      expected: 'b',
    },
    {
      title: 'counts the exposed ports of a container on the network of the engine',
      nodes: { a: { containers: [holding(80)] }, b: {} },
      body: { ExposedPorts: { '80/tcp': {} }, HostConfig: { NetworkMode: 'host' } },
      expected: 'b',
    },
    {
      title: 'counts the port of the container that is being replaced as free',
      nodes: { a: { containers: [{ id: oldId, ...holding(80) }] }, b: { containers: [holding(80)] } },
      body: published('80'),
      options: { name: '0123456789ab_web' },
      expected: 'a',
    },
    {
      title: 'counts it as taken when another container holds it too',
      nodes: { a: { containers: [{ id: oldId, ...holding(80) }, holding(80)] } },
      body: published('80'),
      options: { name: '0123456789ab_web' },
      expected: '',
    },
  ],
  containerslots: [
    {
      title: 'caps the active containers of a node',
      nodes: {
        a: { labels: { containerslots: '2' }, containers: [{}, {}] },
        b: { labels: { containerslots: '2' }, containers: [{}, { isActive: false }] },
      },
      expected: 'b',
      reason: 'all 2 container slots are taken',
    },
    {
      title: 'takes a label that is no number for no cap',
      nodes: { a: { labels: { containerslots: 'many' }, containers: [{}] } },
      expected: 'a',
    },
    {
      title: 'gives the slot of the replaced container to the new one',
      nodes: { a: { labels: { containerslots: '1' }, containers: [{ id: oldId }] } },
      options: { name: '0123456789ab_web' },
      expected: 'a',
    },
  ],
  dependency: [
    {
      title: 'keeps a container beside the one whose volumes it uses',
      nodes: { a: {}, b: { containers: [{ name: 'data' }] } },
      body: { HostConfig: { VolumesFrom: ['data:ro'] } },
      expected: 'b',
      reason: 'container data, which it depends on, is not on this node',
    },
    {
      title: 'keeps it beside the one whose network, ipc or processes it shares',
      nodes: {
        a: { containers: [{ name: 'net' }] },
        b: { containers: [{ name: 'net' }, { name: 'ipc' }, { name: 'pid' }] },
      },
      body: { HostConfig: { NetworkMode: 'container:net', IpcMode: 'container:ipc', PidMode: 'container:pid' } },
      expected: 'b',
    },
    {
      title: 'keeps it beside its links on the default bridge',
      nodes: { a: {}, b: { containers: [{ name: 'db' }] } },
      body: { HostConfig: { Links: ['db:database'] } },
      expected: 'b',
    },
    {
      title: 'lets links on a user-defined network be anywhere',
      nodes: { a: {}, b: { containers: [{ name: 'db' }] } },
      body: { HostConfig: { Links: ['db:database'], NetworkMode: 'app' } },
      expected: 'a b',
    },
    {
      title: 'understands node/name',
      nodes: { a: { containers: [{ name: 'data' }] }, b: { containers: [{ name: 'data' }] } },
      body: { HostConfig: { VolumesFrom: ['b/data'] } },
      expected: 'b',
    },
  ],
  affinity: [
    {
      title: 'goes to the node of a container by name',
      nodes: { a: {}, b: { containers: [{ name: 'web' }] } },
      body: withRules('affinity:container==web'),
      expected: 'b',
      reason: 'nothing on this node matches affinity container==web',
    },
    {
      title: 'goes to the node of a container by id, as Compose asks for',
      nodes: { a: { containers: [{ id: oldId }] }, b: {} },
      body: withRules(`affinity:container==${oldId}`),
      expected: 'a',
    },
    {
      title: 'finds a stopped container too',
      nodes: { a: { containers: [{ name: 'web', isActive: false }] }, b: {} },
      body: withRules('affinity:container==web'),
      expected: 'a',
    },
    {
      title: 'keeps away from a container by glob',
      nodes: { a: { containers: [{ name: 'web-1' }] }, b: { containers: [{ name: 'db' }] } },
      body: withRules('affinity:container!=web*'),
      expected: 'b',
      reason: 'something on this node matches affinity container!=web*',
    },
    {
      title: 'keeps away by regular expression',
      nodes: { a: { containers: [{ name: 'web-1' }] }, b: { containers: [{ name: 'web-x' }] } },
      body: withRules('affinity:container!=/^web-[0-9]+$/'),
      expected: 'b',
    },
    {
      title: 'does not keep away from the container that is being replaced',
      nodes: { a: { containers: [{ id: oldId, name: 'web-1' }] } },
      body: withRules('affinity:container!=web*'),
      options: { name: '0123456789ab_web-1' },
      expected: 'a',
    },
    {
      title: 'keeps a whole zone free of a container',
      nodes: {
        a: { labels: { zone: 'x' }, containers: [{ name: 'web-1' }] },
        b: { labels: { zone: 'x' } },
        c: { labels: { zone: 'y' } },
        d: {},
      },
      body: withRules('affinity:container!=web*@zone'),
      expected: 'c d',
      reason: 'something on the nodes of the same zone matches affinity container!=web*@zone',
    },
    {
      title: 'goes to the zone of a container',
      nodes: { a: { labels: { zone: 'x' }, containers: [{ name: 'web' }] }, b: { labels: { zone: 'x' } }, c: {} },
      body: withRules('affinity:container==web@zone'),
      expected: 'b a',
    },
    {
      title: 'goes where an image is, in any spelling',
      nodes: { a: { images: ['redis:7'] }, b: { images: ['busybox:latest'] } },
      body: withRules('affinity:image==docker.io/library/redis:7'),
      expected: 'a',
    },
    {
      title: 'finds an image by repository and by glob',
      nodes: { a: { images: ['host:5000/team/redis:7'] }, b: { images: ['busybox:latest'] } },
      body: withRules('affinity:image==host:5000/team/redis', 'affinity:image==*redis*'),
      expected: 'a',
    },
    {
      title: 'keeps away from an image',
      nodes: { a: { images: ['redis:7'] }, b: {} },
      body: withRules('affinity:image!=redis'),
      expected: 'b',
    },
    {
      title: 'goes to a container by any label',
      nodes: { a: { containers: [{ labels: { tier: 'back' } }] }, b: { containers: [{ labels: { tier: 'front' } }] } },
      body: withRules('affinity:tier==fro*'),
      expected: 'b',
    },
    {
      title: 'keeps away from a container by label, whatever else runs there',
      nodes: {
        a: { containers: [{}, { labels: { tier: 'front' } }] },
        b: { containers: [{ labels: { tier: 'back' } }, {}] },
      },
      body: withRules('affinity:tier!=front'),
      expected: 'b',
    },
  ],
  constraint: [
    {
      title: 'compares labels of the engine',
      nodes: { a: { labels: { storage: 'disk' } }, b: { labels: { storage: 'ssd' } } },
      body: withRules('constraint:storage==ssd'),
      expected: 'b',
      reason: 'constraint storage==ssd does not hold (storage is disk)',
    },
    {
      title: 'takes a missing label for empty text',
      nodes: { a: {}, b: { labels: { storage: 'ssd' } } },
      body: withRules('constraint:storage!=ssd'),
      expected: 'a',
    },
    {
      title: 'names a label that is missing',
      nodes: { a: {} },
      body: withRules('constraint:storage==ssd'),
      expected: '',
      reason: 'constraint storage==ssd does not hold (it has no storage)',
    },
    {
      title: 'knows a node by name',
      nodes: { a: {}, b: {} },
      body: withRules('constraint:node==b'),
      expected: 'b',
      reason: 'constraint node==b does not hold (node is a)',
    },
    {
      title: 'knows a node by id',
      nodes: { a: { id: 'ID1' }, b: {} },
      body: withRules('constraint:node==ID1'),
      expected: 'a',
    },
    {
      title: 'knows cloned nodes by the id they share',
      nodes: { a: { id: 'ID1' }, b: { id: 'ID1|10.0.0.2:2375' }, c: {} },
      body: withRules('constraint:node==ID1'),
      expected: 'a b',
    },
    {
      title: 'leaves out a node by name',
      nodes: { a: {}, b: {}, c: {} },
      body: withRules('constraint:node!=/a|b/'),
      expected: 'c',
    },
    ...Object.entries({
      storagedriver: 'overlay2',
      kernelversion: '5.10*',
      operatingsystem: '*Debian*',
      ostype: 'linux',
      arch: 'x86_64',
      version: '/^24\\./',
    }).map(([key, value]) => ({
      title: `knows the fact ${key}`,
      nodes: { a: { facts }, b: { facts: { [key]: 'other' } } },
      body: withRules(`constraint:${key}==${value}`),
      expected: 'a',
    })),
    {
      title: 'compares versions and numbers',
      nodes: { a: { facts, labels: { disks: '2' } }, b: { facts: { kernelversion: '4.19' }, labels: { disks: '12' } } },
      body: withRules('constraint:kernelversion>=5.4', 'constraint:disks<10'),
      expected: 'a',
    },
  ],
  whitelist: [
    {
      title: 'leaves only the nodes that are named',
      nodes: { a: {}, b: {}, c: {} },
      body: withRules('whitelist:node==b|c'),
      expected: 'b c',
      reason: 'whitelist node==b|c leaves it out',
    },
    {
      title: 'is read from its label too',
      nodes: { a: {}, b: {} },
      body: { Labels: { 'com.docker.swarm.whitelists': '["any==a"]' } },
      expected: 'a',
    },
  ],
  taints: [
    {
      title: 'keeps strangers off a dedicated node',
      nodes: { a: { labels: { dedicated: 'ci' } }, b: {} },
      expected: 'b',
      reason: 'it is kept for containers with constraint:dedicated==ci or toleration:dedicated==ci',
    },
    {
      title: 'lets in who demands it',
      nodes: { a: { labels: { dedicated: 'ci' } }, b: {} },
      body: withRules('constraint:dedicated==ci'),
      expected: 'a',
    },
    {
      title: 'lets in who tolerates it',
      nodes: { a: { labels: { dedicated: 'ci' } }, b: {}, c: { labels: { dedicated: 'db' } } },
      body: withRules('toleration:dedicated==ci'),
      expected: 'a b',
    },
  ],
  resources: [
    {
      title: 'leaves out nodes without enough memory',
      nodes: { a: { memoryGib: 2, containers: [{ memoryBytes: gib }] }, b: { memoryGib: 2 } },
      body: { HostConfig: { Memory: 1.5 * gib } },
      expected: 'b',
      reason: '1.5GiB of memory wanted, 1GiB free',
    },
    {
      title: 'leaves out nodes without enough CPU',
      nodes: { a: { cpus: 2, containers: [{ nanoCpus: 1e9 }] }, b: { cpus: 2 } },
      body: { HostConfig: { NanoCpus: 1.5e9 } },
      expected: 'b',
      reason: '1.5 CPUs wanted, 1 free',
    },
    {
      title: 'counts memory to the last byte',
      nodes: { a: { memoryGib: 1 } },
      body: { HostConfig: { Memory: gib } },
      expected: 'a',
    },
    {
      title: 'lets a container without requests onto a full node',
      nodes: { a: { memoryGib: 1, containers: [{ memoryBytes: gib }] } },
      expected: 'a',
    },
    {
      title: 'stretches or shrinks a node by its own labels',
      nodes: {
        a: { memoryGib: 1, labels: { 'overcommit.memory': '1' } },
        b: { memoryGib: 2, labels: { overcommit: '-0.5' } },
        c: { memoryGib: 1, labels: { 'overcommit.memory': 'lots' } },
      },
      body: { HostConfig: { Memory: 1.5 * gib } },
      expected: 'a',
    },
    {
      title: 'counts what the replaced container holds as free',
      nodes: { a: { memoryGib: 1, containers: [{ id: oldId, memoryBytes: gib }] } },
      body: { HostConfig: { Memory: gib } },
      options: { name: '0123456789ab_web' },
      expected: 'a',
    },
  ],
  apiversion: [
    {
      title: 'leaves out engines that would misread the body',
      nodes: { a: { maxApiVersion: '1.41' }, b: { maxApiVersion: '1.45' } },
      body: { HostConfig: { Mounts: [{ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: 'x' } }] } },
      expected: 'b',
      reason: 'API version 1.45 is needed, it has 1.41',
    },
  ],
  volumes: [
    {
      title: 'goes to the node of an existing volume',
      nodes: { a: {}, b: { volumes: ['data'] } },
      body: { HostConfig: { Binds: ['data:/data'] } },
      expected: 'b',
      reason: 'volume data is not on this node',
    },
    {
      title: 'stays off other nodes even when the one with the volume is away',
      nodes: { a: {}, b: { volumes: ['data'], refusal: 'unhealthy' } },
      body: { HostConfig: { Binds: ['data:/data'] } },
      expected: '',
      reason: 'volume data is not on this node',
    },
    {
      title: 'lets a new volume be anywhere',
      nodes: { a: {}, b: {} },
      body: { HostConfig: { Binds: ['data:/data'] } },
      expected: 'a b',
    },
  ],
  networks: [
    {
      title: 'goes to the node of a local network',
      nodes: { a: {}, b: { networks: ['app'] } },
      body: { HostConfig: { NetworkMode: 'app' } },
      expected: 'b',
      reason: 'network app is not on this node',
    },
    {
      title: 'lets an unknown network be anywhere: the engine refuses it at start',
      nodes: { a: {}, b: {} },
      body: { HostConfig: { NetworkMode: 'app' } },
      expected: 'a b',
    },
    {
      title: 'needs a node with all of its networks',
      nodes: { a: { networks: ['app'] }, b: { networks: ['app', 'back'] } },
      body: { HostConfig: { NetworkMode: 'app' }, NetworkingConfig: { EndpointsConfig: { app: {}, back: {} } } },
      expected: 'b',
    },
  ],
  devices: [
    {
      title: 'goes where there are enough GPUs',
      nodes: { a: { resources: { gpu: 1 } }, b: { resources: { gpu: 2 } }, c: {} },
      body: { HostConfig: { DeviceRequests: [{ Count: 2, Capabilities: [['gpu']] }] } },
      expected: 'b',
      reason: '2 gpu wanted, 1 available',
    },
    {
      title: 'leaves the GPUs to the containers that have them, by number or by device, but not to stopped ones',
      nodes: {
        a: { resources: { gpu: 4 }, containers: [{ resources: [{ name: 'gpu', count: 3 }] }] },
        b: { resources: { gpu: 2 }, containers: [{ resources: [{ name: 'device/nvidia.com/gpu=0', count: 1 }] }] },
        c: { resources: { gpu: 2 }, containers: [{ isActive: false, resources: [{ name: 'gpu', count: 2 }] }] },
        d: { resources: { gpu: 8 }, containers: [{ resources: [{ name: 'gpu', count: -1 }] }] },
      },
      body: { HostConfig: { DeviceRequests: [{ Count: 2, Capabilities: [['gpu']] }] } },
      expected: 'c',
      reason: '2 gpu wanted, 1 available',
    },
    {
      title: 'takes all GPUs only where none is in use',
      nodes: {
        a: { resources: { gpu: 2 }, containers: [{ resources: [{ name: 'gpu', count: 1 }] }] },
        b: { resources: { gpu: 1 } },
      },
      body: { HostConfig: { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] } },
      expected: 'b',
      reason: 'all gpu wanted, 1 available',
    },
    {
      title: 'shares runtimes, and GPUs that the node cannot count',
      nodes: {
        a: {
          resources: { 'runtime/nvidia': 1, gpu: Infinity },
          containers: [
            {
              resources: [
                { name: 'runtime/nvidia', count: 1 },
                { name: 'gpu', count: -1 },
              ],
            },
          ],
        },
      },
      body: { HostConfig: { Runtime: 'nvidia', DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] } },
      expected: 'a',
    },
    {
      title: 'takes all GPUs for at least one',
      nodes: { a: {}, b: { resources: { gpu: 1 } } },
      body: { HostConfig: { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] } },
      expected: 'b',
    },
    {
      title: 'goes where the runtime is',
      nodes: { a: { resources: { 'runtime/kata': 1 } }, b: {} },
      body: { HostConfig: { Runtime: 'kata' } },
      expected: 'a',
    },
  ],
  platform: [
    {
      title: 'knows the names that engines and images give to processors',
      nodes: { a: { facts }, b: { facts: { ostype: 'linux', arch: 'aarch64' } } },
      options: { platform: 'linux/arm64/v8' },
      expected: 'b',
      reason: 'platform linux/arm64/v8 wanted, it is linux/amd64',
    },
    {
      title: 'takes an operating system alone',
      nodes: { a: { facts }, b: { facts: { ostype: 'windows', arch: 'x86_64' } } },
      options: { platform: 'linux' },
      expected: 'a',
    },
  ],
};

for (const [filter, table] of Object.entries(cases)) {
  describe(`the ${filter} filter`, () => {
    for (const { title, nodes, body = { Image: 'busybox' }, options, expected, reason } of table) {
      it(title, () => {
        const all = Object.entries(nodes).map(([name, nodeFacts]) => aNode({ ...nodeFacts, name }));
        assert.equal(namesFor(body, all, options).join(' '), expected);
        if (reason === undefined) return;
        const [first = ''] = Object.keys(nodes);
        const alone = [...all.filter(({ name }) => name === first), ...all.filter((node) => node.name !== first)];
        assert.ok(refusalOf(body, withoutTakers(alone, expected), options).includes(`\n  ${first}: ${reason}`));
      });
    }
  });
}

/** The nodes that took the container are made to refuse it, so that the explanation shows the others' reasons. */
function withoutTakers(
  nodes: readonly ReturnType<typeof aNode>[],
  takers: string,
): readonly ReturnType<typeof aNode>[] {
  const taking = new Set(takers.split(' '));
  return nodes.map((node) => {
    if (taking.has(node.name)) Object.defineProperty(node, 'refusal', { value: 'draining' });
    return node;
  });
}

describe('the replicas filter', () => {
  const service = { 'com.docker.compose.project': 'app', 'com.docker.compose.service': 'web' };
  const other = { ...service, 'com.docker.compose.service': 'db' };
  const nodes = [
    aNode({ name: 'a', containers: [{ labels: service }] }),
    aNode({ name: 'b', containers: [{ labels: other }, {}, {}] }),
  ];

  it('prefers a node without another copy of the service, whatever the load', () => {
    assert.deepEqual(namesFor({ Labels: service }, nodes), ['b']);
  });

  it('prefers a zone without another copy before it looks at the nodes', () => {
    const zoned = [
      aNode({ name: 'a', labels: { zone: 'x' } }),
      aNode({ name: 'b', labels: { zone: 'x' }, containers: [{ labels: service }] }),
      aNode({ name: 'c', labels: { zone: 'y' }, containers: [{}, {}] }),
    ];
    assert.deepEqual(namesFor({ Labels: service }, zoned), ['c']);
    assert.deepEqual(namesFor({ Labels: service }, zoned.slice(0, 2)), ['a']);
  });

  it('puts four copies on four nodes of two zones by two', () => {
    const zoned = ['x', 'x', 'y', 'y'].map((zone, index) => aNode({ name: `node-${index}`, labels: { zone } }));
    const scheduler = aScheduler();
    const placed = Array.from({ length: 4 }, () => run(scheduler, { Labels: service }, zoned));
    assert.deepEqual(placed, ['node-0', 'node-2', 'node-1', 'node-3']);
  });

  it('gives way when every node has a copy', () => {
    assert.deepEqual(namesFor({ Labels: service }, nodes.slice(0, 1)), ['a']);
  });

  it('does not look at one-off containers, nor at those that chose a strategy', () => {
    assert.equal(namesFor({ Labels: { ...service, 'com.docker.compose.oneoff': 'True' } }, nodes)[0], 'a');
    assert.equal(namesFor({ Labels: service, Env: ['strategy:spread'] }, nodes)[0], 'a');
  });

  it('does not count the copy that is being replaced', () => {
    const replaced = [
      aNode({ name: 'a', containers: [{ id: oldId, labels: service }] }),
      aNode({ name: 'b', containers: [{ labels: service }] }),
    ];
    assert.deepEqual(namesFor({ Labels: service }, replaced, { name: '0123456789ab_app-web-1' }), ['a']);
  });
});

describe('the choice of filters', () => {
  const names = (chosen: readonly string[]): readonly string[] => openFilters(chosen).map(({ name }) => name);

  it('is all of them in their order when none is named', () => {
    assert.deepEqual(names([]).slice(0, filterNames.length), filterNames);
  });

  it('keeps the order in which they are named, each once, and the ones that always apply', () => {
    const chosen = names(['constraint', 'port', 'constraint', 'resources']);
    assert.deepEqual(chosen.slice(0, 3), ['constraint', 'port', 'resources']);
    assert.ok(!chosen.includes('health'));
    for (const standing of ['resources', 'volumes', 'networks', 'apiversion', 'platform', 'devices']) {
      assert.equal(chosen.filter((name) => name === standing).length, 1, standing);
    }
  });

  it('refuses an unknown name and lists the known ones', () => {
    assert.throws(() => openFilters(['bogus']), /unknown filter "bogus": expected one of health, port, containerslots/);
  });

  it('that leaves one out does without its rules', () => {
    const scheduler = new Scheduler({ filters: openFilters(['health']), strategy: openStrategy('spread') });
    const placement = scheduler.place(placementRequest(withRules('constraint:storage==ssd')), [aNode()]);
    assert.equal(placement.kind, 'placed');
  });
});
