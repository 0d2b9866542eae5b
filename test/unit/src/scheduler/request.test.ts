import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { CreateBody } from '../../../../src/docker/types.ts';
import type { PlacementRequest } from '../../../../src/scheduler/contracts.ts';
import {
  coresToShares,
  memoryDemandBytes,
  nanoCpuDemand,
  sharesToNanoCpus,
} from '../../../../src/scheduler/resource-demand.ts';
import { nodeResources } from '../../../../src/scheduler/node-resources.ts';
import { placementRequest, withoutExpressions, type RequestOptions } from '../../../../src/scheduler/request.ts';

interface Case {
  readonly title: string;
  readonly body: CreateBody;
  readonly options?: RequestOptions;
  readonly expected: Partial<PlacementRequest>;
}

describe('a placement request', () => {
  const cases: readonly Case[] = [
    {
      title: 'holds the fixed ports and ranges that are published, by address and protocol',
      body: {
        HostConfig: {
          PortBindings: {
            '80/tcp': [{ HostPort: '8080' }, { HostIp: '10.0.0.1', HostPort: '81' }],
            '53/udp': [{ HostIp: '0.0.0.0', HostPort: '53' }],
            '54': [{ HostIp: '::', HostPort: '54' }],
            '90/tcp': [{ HostPort: '' }, { HostPort: '0' }, {}],
            '91/tcp': null,
            '92/tcp': [{ HostPort: 'x' }],
            '1000/tcp': [{ HostPort: '10000-20000' }],
          },
        },
      },
      expected: {
        ports: [
          { ip: '', port: 54, protocol: 'tcp' },
          { ip: '', port: 8080, protocol: 'tcp' },
          { ip: '10.0.0.1', port: 81, protocol: 'tcp' },
          { ip: '', port: 53, protocol: 'udp' },
        ],
        portRanges: [{ ip: '', firstPort: 10_000, lastPort: 20_000, protocol: 'tcp' }],
        hostModePorts: [],
      },
    },
    {
      title: "holds the exposed ports on the engine's own network",
      body: {
        ExposedPorts: { '80/tcp': {}, '53/udp': {} },
        HostConfig: { NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
      },
      expected: {
        ports: [],
        hostModePorts: [
          { ip: '', port: 80, protocol: 'tcp' },
          { ip: '', port: 53, protocol: 'udp' },
        ],
      },
    },
    {
      title: "holds no ports in another container's network",
      body: { HostConfig: { NetworkMode: 'container:web', PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } },
      expected: { ports: [], hostModePorts: [], dependencies: ['web'] },
    },
    {
      title: 'counts --cpus before quota, and the memory reservation before the limit',
      body: { HostConfig: { NanoCpus: 1_500_000_000, CpuQuota: 50_000, Memory: 1024, MemoryReservation: 512 } },
      expected: { nanoCpus: 1_500_000_000, memoryBytes: 512 },
    },
    {
      title: 'counts quota and limit when they are all there is',
      body: { HostConfig: { CpuQuota: 50_000, CpuPeriod: 0, Memory: 1024, CpuShares: 512 } },
      expected: { nanoCpus: 500_000_000, memoryBytes: 1024 },
    },
    {
      title: 'reads shares as cores in classic mode alone',
      body: { HostConfig: { CpuShares: 2 } },
      options: { cpuMode: 'classic' },
      expected: { nanoCpus: 2_000_000_000 },
    },
    {
      title: 'takes the place of the container that Compose names in a label',
      body: { Labels: { 'com.docker.compose.replace': 'app-web-1' } },
      options: { name: 'app-web-1-new' },
      expected: { replaces: 'app-web-1' },
    },
    {
      title: 'takes the place of the container whose short id begins its name',
      body: {},
      options: { name: '0123456789ab_app-web-1' },
      expected: { replaces: '0123456789ab' },
    },
    {
      title: 'believes the name more than the label, which may hold less than a name',
      body: { Labels: { 'com.docker.compose.replace': 'web-1' } },
      options: { name: '0123456789ab_app-web-1' },
      expected: { replaces: '0123456789ab' },
    },
    { title: 'takes no place otherwise', body: {}, options: { name: 'app_web_1' }, expected: { replaces: undefined } },
    {
      title: 'asks for GPUs, devices and runtimes',
      body: {
        HostConfig: {
          Runtime: 'nvidia',
          DeviceRequests: [
            { Count: -1, Capabilities: [['gpu']] },
            { DeviceIDs: ['0', '1'], Capabilities: [['gpu', 'utility']] },
            { Driver: 'cdi', DeviceIDs: ['vendor.com/class=one'] },
          ],
        },
      },
      expected: {
        deviceRequests: [
          { name: 'runtime/nvidia', count: 1 },
          { name: 'gpu', count: -1 },
          { name: 'gpu', count: 2 },
          { name: 'device/vendor.com/class=one', count: 1 },
        ],
      },
    },
    {
      title: 'asks for no runtime that every engine has',
      body: { HostConfig: { Runtime: 'runc' } },
      expected: { deviceRequests: [] },
    },
    {
      title: 'asks for the newest API version that a member needs',
      body: {
        HostConfig: {
          Mounts: [
            { Type: 'volume', Source: 'v', VolumeOptions: { Subpath: 'x' } },
            { Type: 'image', Source: 'busybox' },
            { Type: 'bind', Source: '/x', BindOptions: { ReadOnlyForceRecursive: true } },
          ],
        },
      },
      expected: { minimumApiVersion: '1.48' },
    },
    { title: 'asks for no API version when it needs none', body: {}, expected: { minimumApiVersion: undefined } },
    {
      title: 'carries the platform and the name',
      body: { Image: 'busybox:1' },
      options: { name: 'web', platform: 'linux/arm64' },
      expected: { image: 'busybox:1', name: 'web', platform: 'linux/arm64' },
    },
    {
      title: 'takes an empty platform for none',
      body: {},
      options: { platform: '' },
      expected: { platform: undefined },
    },
    {
      title: 'has the strategy that was written last',
      body: { Env: ['strategy:spread', 'strategy:binpack'] },
      expected: { strategy: 'binpack' },
    },
  ];
  for (const { title, body, options, expected } of cases) {
    it(title, () => {
      const found: Partial<Record<string, unknown>> = { ...placementRequest(body, options) };
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(found[key], value, key);
    });
  }

  it('reads a label in which a shell left the backslash of an escaped exclamation mark', () => {
    const labels = { 'com.docker.swarm.affinities': '["container\\!=web"]' };
    const { affinities } = placementRequest({ Image: 'busybox', Labels: labels });
    assert.deepEqual(
      affinities.map(({ text }) => text),
      ['container!=web'],
    );
  });

  it('gathers rules from labels and the environment', () => {
    const request = placementRequest({
      Labels: { 'com.docker.swarm.constraints': '["storage==ssd"]' },
      Env: [
        'constraint:zone==a',
        'affinity:container!=~web*',
        'whitelist:node==a|b',
        'toleration:dedicated==ci',
        'A=b',
      ],
    });
    assert.deepEqual(
      request.constraints.map(({ text }) => text),
      ['storage==ssd', 'zone==a'],
    );
    assert.deepEqual(
      request.affinities.map(({ text }) => text),
      ['container!=~web*'],
    );
    assert.deepEqual(
      request.whitelists.map(({ text }) => text),
      ['node==a|b'],
    );
    assert.deepEqual(
      request.tolerations.map(({ text }) => text),
      ['dedicated==ci'],
    );
  });

  for (const [title, body, message] of [
    ['a rule', { Env: ['constraint:a=b'] }, /^invalid constraint "a=b" at position 2: expected one of the operators/],
    ['an affinity', { Env: ['affinity:=='] }, /^invalid affinity "==" at position 1/],
    [
      'one rule of very many',
      { Env: Array.from({ length: 257 }, (_, index) => `constraint:a!=${index}`) },
      /^too many rules: 257, expected at most 256$/,
    ],
    ['a label that holds no list', { Labels: { 'com.docker.swarm.constraints': 'storage==ssd' } }, /JSON array/],
    ['a label that holds a list of numbers', { Labels: { 'com.docker.swarm.affinities': '[1]' } }, /JSON array/],
    [
      'a strategy',
      { Env: ['strategy:best'] },
      /^invalid strategy "best": expected one of spread, binpack, random, spread:<label>$/,
    ],
    ['a reschedule policy', { Env: ['reschedule:always'] }, /^invalid reschedule policy: always/],
    [
      'two reschedule policies',
      { Env: ['reschedule:off', 'reschedule:on-node-failure'] },
      /too many reschedule policies/,
    ],
  ] as const) {
    it(`is refused with 400 when ${title} cannot be understood`, () => {
      assert.throws(() => placementRequest(body), { name: 'ApiError', status: 400, message });
    });
  }
});

describe('a body without expressions', () => {
  it('keeps them in labels and everything else as it came', () => {
    const body = {
      Image: 'busybox',
      Env: [
        'A=b',
        'constraint:storage==ssd',
        'affinity:container==~x',
        'reschedule:on-node-failure',
        'constraint:zone==a',
        'C',
      ],
      Labels: { mine: '1' },
      Future: { kept: true },
    };
    assert.deepEqual(withoutExpressions(body), {
      Image: 'busybox',
      Env: ['A=b', 'C'],
      Labels: {
        mine: '1',
        'com.docker.swarm.constraints': '["storage==ssd","zone==a"]',
        'com.docker.swarm.affinities': '["container==~x"]',
        'com.docker.swarm.reschedule-policies': '["on-node-failure"]',
      },
      Future: { kept: true },
    });
  });

  it('adds to the rules that labels hold already, each once', () => {
    const stripped = withoutExpressions({
      Env: ['constraint:zone==a', 'constraint:storage==ssd'],
      Labels: { 'com.docker.swarm.constraints': '["storage==ssd"]' },
    });
    assert.deepEqual(stripped, { Env: [], Labels: { 'com.docker.swarm.constraints': '["storage==ssd","zone==a"]' } });
  });

  it('is the body itself when there are none', () => {
    const body = { Env: ['A=constraint:b'], Labels: null };
    assert.equal(withoutExpressions(body), body);
  });

  it('places its container as the body with them does', () => {
    const body = { Env: ['constraint:storage==ssd', 'strategy:binpack', 'affinity:image==x'] };
    const texts = (from: CreateBody): unknown => {
      const { constraints, affinities, strategy } = placementRequest(from);
      return [constraints.map(({ text }) => text), affinities.map(({ text }) => text), strategy];
    };
    assert.deepEqual(texts(withoutExpressions(body)), texts(body));
  });
});

describe('resource demands', () => {
  it('come from limits in one way', () => {
    assert.equal(nanoCpuDemand({ nanoCpus: 0, cpuQuota: 25_000, cpuPeriod: 50_000 }), 500_000_000);
    assert.equal(nanoCpuDemand({ nanoCpus: 0, cpuQuota: -1 }), 0);
    assert.equal(memoryDemandBytes({ memoryBytes: -1, memoryReservationBytes: 0 }), 0);
  });

  it('survive the way to shares of an engine and back in classic mode', () => {
    for (const cpus of [1, 2, 4, 7, 48]) {
      for (let cores = 1; cores <= cpus; cores += 1) {
        assert.equal(sharesToNanoCpus(coresToShares(cores, cpus), cpus), cores * 1e9, `${cores} of ${cpus}`);
      }
    }
  });
});

describe('the resources of a node', () => {
  it('are its runtimes, generic resources and discovered devices', () => {
    const resources = nodeResources(
      {
        Runtimes: { runc: {}, kata: {} },
        GenericResources: [
          { NamedResourceSpec: { Kind: 'GPU', Value: 'a' } },
          { NamedResourceSpec: { Kind: 'GPU', Value: 'b' } },
          { DiscreteResourceSpec: { Kind: 'SSD', Value: 3 } },
        ],
        DiscoveredDevices: [{ Source: 'cdi', ID: 'vendor.com/class=one' }],
      },
      {},
    );
    assert.deepEqual(Object.fromEntries(resources), {
      'runtime/runc': 1,
      'runtime/kata': 1,
      gpu: 2,
      ssd: 3,
      'device/vendor.com/class=one': 1,
    });
  });

  it('have as many GPUs as a label says, or any number with the runtime for them', () => {
    assert.equal(nodeResources({}, { gpu: '4' }).get('gpu'), 4);
    assert.equal(nodeResources({ Runtimes: { nvidia: {} } }, {}).get('gpu'), Number.POSITIVE_INFINITY);
    assert.equal(nodeResources({ Runtimes: { runc: {} } }, { gpu: 'some' }).get('gpu'), undefined);
  });
});
