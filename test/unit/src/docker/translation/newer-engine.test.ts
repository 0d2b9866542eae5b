import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EngineFacts, Operation } from '../../../../../src/docker/translation/rule.ts';
import { translateRequest } from '../../../../../src/docker/translation/translate-request.ts';
import type { WireObject } from '../../../../../src/docker/types.ts';
import { anEngine } from './an-engine.ts';

const recent = anEngine('1.44', '1.52');

function translated(operation: Operation, body: WireObject, version: string, engine: EngineFacts = recent): WireObject {
  return translateRequest({ operation, body, version }, engine).body;
}

const mount = (...list: readonly WireObject[]): WireObject => ({ HostConfig: { IpcMode: 'private', Mounts: list } });
const mac = '02:42:ac:11:00:02';

interface Row {
  readonly title: string;
  readonly since: string;
  readonly engine?: EngineFacts;
  readonly operation?: Operation;
  readonly body: WireObject;
  readonly expected: WireObject;
}

const rows: readonly Row[] = [
  {
    title: 'has a shareable IPC namespace by default',
    since: '1.40',
    body: { Image: 'i', HostConfig: { Memory: 1 } },
    expected: { Image: 'i', HostConfig: { Memory: 1, IpcMode: 'shareable' } },
  },
  {
    title: 'has a shareable IPC namespace by default, without any host configuration',
    since: '1.40',
    body: { Image: 'i' },
    expected: { Image: 'i', HostConfig: { IpcMode: 'shareable' } },
  },
  {
    title: 'binds recursively',
    since: '1.40',
    body: mount({ Type: 'bind', BindOptions: { NonRecursive: true, Propagation: 'rslave' } }),
    expected: mount({ Type: 'bind', BindOptions: { Propagation: 'rslave' } }),
  },
  {
    title: 'has no limit of processes in an update',
    since: '1.40',
    operation: 'update container',
    body: { Memory: 1, PidsLimit: 5 },
    expected: { Memory: 1 },
  },
  {
    title: "has the host's cgroup namespace by default on cgroup v1",
    since: '1.41',
    engine: anEngine('1.44', '1.52', { cgroupVersion: '1' }),
    body: { HostConfig: { IpcMode: 'host' } },
    expected: { HostConfig: { IpcMode: 'host', CgroupnsMode: 'host' } },
  },
  {
    title: 'makes no host directories',
    since: '1.42',
    body: mount({ Type: 'bind', BindOptions: { CreateMountpoint: true } }),
    expected: mount({ Type: 'bind', BindOptions: {} }),
  },
  {
    title: 'may carry options of other types of mounts',
    since: '1.42',
    body: mount(
      { Type: 'bind', VolumeOptions: {}, TmpfsOptions: {} },
      { Type: 'volume', VolumeOptions: { NoCopy: true } },
      { Type: 'tmpfs', TmpfsOptions: { SizeBytes: 1 } },
    ),
    expected: mount(
      { Type: 'bind' },
      { Type: 'volume', VolumeOptions: { NoCopy: true } },
      { Type: 'tmpfs', TmpfsOptions: { SizeBytes: 1 } },
    ),
  },
  {
    title: 'has no console size',
    since: '1.42',
    body: { HostConfig: { IpcMode: 'host', ConsoleSize: [24, 80] } },
    expected: { HostConfig: { IpcMode: 'host' } },
  },
  {
    title: 'has no console size in an exec',
    since: '1.42',
    operation: 'create exec',
    body: { Cmd: ['sh'], ConsoleSize: [24, 80] },
    expected: { Cmd: ['sh'] },
  },
  {
    title: 'has no annotations',
    since: '1.43',
    body: { HostConfig: { IpcMode: 'host', annotations: { a: 'b' } } },
    expected: { HostConfig: { IpcMode: 'host' } },
  },
  {
    title: 'has no start interval',
    since: '1.44',
    body: { HostConfig: { IpcMode: 'host' }, Healthcheck: { Interval: 1, StartInterval: 2 } },
    expected: { HostConfig: { IpcMode: 'host' }, Healthcheck: { Interval: 1 } },
  },
  {
    title: 'binds read-only at the top only',
    since: '1.44',
    body: mount({ Type: 'bind', ReadOnly: true }, { Type: 'bind' }, { Type: 'volume', ReadOnly: true }),
    expected: mount(
      { Type: 'bind', ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
      { Type: 'bind' },
      { Type: 'volume', ReadOnly: true },
    ),
  },
  {
    title: 'has no MAC addresses of endpoints',
    since: '1.44',
    body: {
      HostConfig: { IpcMode: 'host' },
      NetworkingConfig: { EndpointsConfig: { a: { MacAddress: mac, Aliases: ['x'] } } },
    },
    expected: { HostConfig: { IpcMode: 'host' }, NetworkingConfig: { EndpointsConfig: { a: { Aliases: ['x'] } } } },
  },
  {
    title: "has the container's MAC address on the network of the network mode",
    since: '1.44',
    body: {
      MacAddress: mac,
      HostConfig: { IpcMode: 'host', NetworkMode: 'a' },
      NetworkingConfig: { EndpointsConfig: { a: { Aliases: ['x'] } } },
    },
    expected: {
      HostConfig: { IpcMode: 'host', NetworkMode: 'a' },
      NetworkingConfig: { EndpointsConfig: { a: { Aliases: ['x'], MacAddress: mac } } },
    },
  },
  {
    title: "has the container's MAC address on the default network",
    since: '1.44',
    body: { MacAddress: mac, HostConfig: { IpcMode: 'host' } },
    expected: {
      HostConfig: { IpcMode: 'host' },
      NetworkingConfig: { EndpointsConfig: { default: { MacAddress: mac } } },
    },
  },
  {
    title: "has the container's MAC address on an endpoint, on engines that know no other",
    since: '1.52',
    engine: anEngine('1.52', '1.54'),
    body: { MacAddress: mac, HostConfig: { NetworkMode: 'a' } },
    expected: { HostConfig: { NetworkMode: 'a' }, NetworkingConfig: { EndpointsConfig: { a: { MacAddress: mac } } } },
  },
];

describe('a request that is older than the engine', () => {
  for (const { title, since, body, expected, engine = recent, operation = 'create container' } of rows) {
    const before = `1.${Number(since.slice(2)) - 1}`;

    it(`${title}, before ${since}`, () => {
      assert.deepEqual(translated(operation, body, before, engine), expected);
    });

    it(`is left as it is from ${since} on: ${title}`, () => {
      const { min, max } = engine.apiVersion;
      // An engine that begins at the very version at which the client is no longer too old.
      const first = since > min ? min : since;
      assert.equal(translated(operation, body, since, { ...engine, apiVersion: { min: first, max } }), body);
    });

    it(`is left to an engine that speaks the client's version: ${title}`, () => {
      assert.equal(translated(operation, body, before, anEngine('1.24', '1.52')), body);
    });
  }

  it('keeps the IPC mode that it names', () => {
    const body = { HostConfig: { IpcMode: 'private' } };
    assert.equal(translated('create container', body, '1.39'), body);
  });

  it('keeps the cgroup namespace to itself on cgroup v2', () => {
    const body = { HostConfig: { IpcMode: 'host' } };
    assert.equal(translated('create container', body, '1.40'), body);
  });

  for (const NetworkMode of ['host', 'none', 'container:x']) {
    it(`leaves a MAC address with the network mode ${NetworkMode} to the engine`, () => {
      const body = { MacAddress: mac, HostConfig: { IpcMode: 'host', NetworkMode } };
      assert.equal(translated('create container', body, '1.43'), body);
    });
  }

  const refused: readonly (readonly [message: string, before: string, engine: EngineFacts, body: WireObject])[] = [
    [
      'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer',
      '1.43',
      recent,
      mount({ Type: 'bind', ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } }),
    ],
    [
      'VolumeOptions.Subpath needs API v1.45 or newer',
      '1.44',
      anEngine('1.45', '1.52'),
      mount({ Type: 'volume', VolumeOptions: { Subpath: 'a' } }),
    ],
    [
      'TmpfsOptions.Options needs API v1.46 or newer',
      '1.45',
      anEngine('1.46', '1.52'),
      mount({ Type: 'tmpfs', TmpfsOptions: { Options: [['exec']] } }),
    ],
    [
      "Mount type 'image' needs API v1.48 or newer",
      '1.47',
      anEngine('1.48', '1.52'),
      mount({ Type: 'image', Source: 'busybox' }),
    ],
  ];
  for (const [message, before, engine, body] of refused) {
    it(`is refused: ${message}`, () => {
      assert.throws(() => translated('create container', body, before, engine), { status: 400, message });
    });
  }
});
