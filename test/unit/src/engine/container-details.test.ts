import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ContainerInspect } from '../../../../src/docker/types.ts';
import { parseContainerDetails } from '../../../../src/engine/container-details.ts';
import type { ContainerDetails } from '../../../../src/engine/container-details.ts';

function anInspect(parts: Partial<ContainerInspect> = {}): ContainerInspect {
  return { Id: 'c1', Name: '/web', Created: '2024-01-31T10:20:30.123456789Z', Image: 'sha256:1', ...parts };
}

const cases: readonly { title: string; inspect: Partial<ContainerInspect>; expected: Partial<ContainerDetails> }[] = [
  {
    title: 'claims nothing where the engine says nothing',
    inspect: { Created: '' },
    expected: {
      createdNs: 0n,
      startedAtMs: undefined,
      exitCode: 0,
      isRunning: false,
      health: undefined,
      nanoCpus: 0,
      memoryBytes: 0,
      publishedPorts: [],
      portRanges: undefined,
      deviceRequests: undefined,
      hostModePorts: [],
      volumeNames: [],
      networkMode: 'default',
      tty: false,
    },
  },
  {
    title: 'keeps the nanoseconds of the creation',
    inspect: {},
    expected: { createdNs: 1706696430123456789n },
  },
  {
    title: 'takes year 1 for never',
    inspect: { State: { Status: 'created', StartedAt: '0001-01-01T00:00:00Z', FinishedAt: '0001-01-01T00:00:00Z' } },
    expected: { state: 'created', startedAtMs: undefined, finishedAtMs: undefined },
  },
  {
    title: 'reads the state of a paused container that is healthy',
    inspect: {
      State: {
        Status: 'paused',
        Running: true,
        Paused: true,
        StartedAt: '1970-01-01T00:00:01.5Z',
        Health: { Status: 'healthy' },
      },
    },
    expected: { state: 'paused', isRunning: true, isPaused: true, startedAtMs: 1500, health: 'healthy' },
  },
  {
    title: 'takes the health "none" for no health check',
    inspect: { State: { Health: { Status: 'none' } } },
    expected: { health: undefined },
  },
  {
    title: 'prefers NanoCpus to a quota',
    inspect: { HostConfig: { NanoCpus: 1_500_000_000, CpuQuota: 50_000, CpuShares: 512 } },
    expected: { nanoCpus: 1_500_000_000, cpuShares: 512 },
  },
  {
    title: 'counts a quota as a share of the usual period',
    inspect: { HostConfig: { NanoCpus: 0, CpuQuota: 50_000, CpuPeriod: 0 } },
    expected: { nanoCpus: 500_000_000 },
  },
  {
    title: 'takes a quota of -1 for none',
    inspect: { HostConfig: { CpuQuota: -1, CpuPeriod: 100_000 } },
    expected: { nanoCpus: 0 },
  },
  {
    title: 'lists asked-for ports of a stopped container, whatever the address for "all" is',
    inspect: {
      HostConfig: {
        PortBindings: {
          '80/tcp': [{ HostIp: '', HostPort: '8080' }],
          '443/tcp': [{ HostIp: '0.0.0.0', HostPort: '8443' }],
          '53/udp': [{ HostIp: '10.0.0.1', HostPort: '53' }],
        },
      },
    },
    expected: {
      publishedPorts: [
        { ip: '', port: 8080, protocol: 'tcp' },
        { ip: '', port: 8443, protocol: 'tcp' },
        { ip: '10.0.0.1', port: 53, protocol: 'udp' },
      ],
    },
  },
  {
    title: 'lists ports that the engine chose, once each, and neither ranges nor open choices',
    inspect: {
      HostConfig: {
        PortBindings: { '80/tcp': [{ HostPort: '' }], '81/tcp': [{ HostPort: '9000-9010' }], '82/tcp': null },
      },
      NetworkSettings: {
        Ports: {
          '80/tcp': [
            { HostIp: '0.0.0.0', HostPort: '32768' },
            { HostIp: '::', HostPort: '32768' },
          ],
          '81/tcp': [{ HostIp: '0.0.0.0', HostPort: '9003' }],
        },
      },
    },
    expected: {
      publishedPorts: [
        { ip: '', port: 32768, protocol: 'tcp' },
        { ip: '', port: 9003, protocol: 'tcp' },
      ],
    },
  },
  {
    title: 'takes the exposed ports of a container in the host network for taken',
    inspect: {
      HostConfig: { NetworkMode: 'host' },
      Config: { ExposedPorts: { '80/tcp': {}, '53/udp': {} }, Tty: true },
    },
    expected: {
      networkMode: 'host',
      tty: true,
      hostModePorts: [
        { ip: '', port: 80, protocol: 'tcp' },
        { ip: '', port: 53, protocol: 'udp' },
      ],
    },
  },
  {
    title: 'takes no exposed port of another container for taken',
    inspect: { Config: { ExposedPorts: { '80/tcp': {} } } },
    expected: { hostModePorts: [] },
  },
  {
    title: 'names volumes, not bind mounts',
    inspect: {
      HostConfig: { AutoRemove: true, Memory: 64, MemoryReservation: 32 },
      Mounts: [
        { Type: 'volume', Name: 'data' },
        { Type: 'bind', Source: '/srv' },
      ],
    },
    expected: { volumeNames: ['data'], autoRemove: true, memoryBytes: 64, memoryReservationBytes: 32 },
  },
];

describe('the details of a container', () => {
  for (const { title, inspect, expected } of cases) {
    it(title, () => {
      const details = parseContainerDetails(anInspect(inspect));
      assert.deepEqual({ ...details, ...expected }, details);
    });
  }
});
