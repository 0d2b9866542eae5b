import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ApiError } from '../../../../../src/common/errors.ts';
import type { EngineFacts } from '../../../../../src/docker/translation/rule.ts';
import { minimumApiVersion, translateRequest } from '../../../../../src/docker/translation/translate-request.ts';
import type { TranslatedRequest } from '../../../../../src/docker/translation/translate-request.ts';
import type { WireObject } from '../../../../../src/docker/types.ts';
import { anEngine } from './an-engine.ts';

const olderThan = (since: string): EngineFacts => anEngine('1.24', `1.${Number(since.slice(2)) - 1}`);

function create(body: WireObject, engine: EngineFacts, version = '1.51'): TranslatedRequest {
  return translateRequest({ operation: 'create container', body, version }, engine);
}

const mounts = (...list: readonly WireObject[]): WireObject => ({ HostConfig: { Mounts: list } });
const endpoints = (config: WireObject, networkMode?: string): WireObject => ({
  ...(networkMode === undefined ? {} : { HostConfig: { NetworkMode: networkMode } }),
  NetworkingConfig: { EndpointsConfig: config },
});

describe('a create that an older engine would not do in full', () => {
  const warned: readonly (readonly [since: string, effect: string, body: WireObject])[] = [
    ['1.43', 'HostConfig.Annotations are ignored', { HostConfig: { Annotations: { a: 'b' } } }],
    ['1.44', 'Healthcheck.StartInterval is ignored', { Healthcheck: { StartInterval: 5e9 } }],
    [
      '1.44',
      'file systems mounted below a read-only bind stay writable',
      mounts({ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true }),
    ],
    [
      '1.44',
      'file systems mounted below a read-only bind stay writable',
      { HostConfig: { Binds: ['/a:/b:ro,rslave'] } },
    ],
  ];
  for (const [since, effect, body] of warned) {
    it(`is done with a warning before ${since}: ${effect}`, () => {
      const engine = olderThan(since);
      const translated = create(body, engine);

      assert.deepEqual(translated.warnings, [`node node-1 speaks API ${engine.apiVersion.max} only: ${effect}`]);
      assert.equal(translated.version, engine.apiVersion.max);
      assert.equal(translated.body, body);
    });

    it(`is done without a warning from ${since} on: ${effect}`, () => {
      const translated = create(body, anEngine('1.24', since));

      assert.deepEqual(translated.warnings, []);
      assert.equal(translated.body, body);
    });

    it(`is done without a warning for a client that does not know it either: ${effect}`, () => {
      assert.deepEqual(create(body, olderThan(since), olderThan(since).apiVersion.max).warnings, []);
    });
  }

  const quiet: readonly (readonly [string, WireObject])[] = [
    ['no annotations', { HostConfig: { Annotations: {} } }],
    ['no start interval', { Healthcheck: { StartInterval: 0 } }],
    ['read-only volumes', mounts({ Type: 'volume', Source: 'v', Target: '/b', ReadOnly: true })],
    ['volumes bound read-only', { HostConfig: { Binds: ['v:/b:ro'] } }],
    ['writable binds', { HostConfig: { Binds: ['/ro:/b', '/a:/ro:rw'] } }],
    [
      'binds that are read-only at the top only',
      mounts({ Type: 'bind', Source: '/a', ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } }),
    ],
    ['gateways of no priority', endpoints({ net: { GwPriority: 0 } }, 'net')],
    ['nothing at all', {}],
  ];
  for (const [title, body] of quiet) {
    it(`goes as it is with ${title}`, () => {
      const translated = create(body, anEngine('1.24', '1.41'));

      assert.deepEqual(translated, { body, version: '1.41', followUps: [], warnings: [] });
      assert.equal(translated.body, body);
    });
  }

  const needed: readonly (readonly [since: string, feature: string, body: WireObject])[] = [
    ['1.42', 'a mount of type "cluster"', mounts({ Type: 'cluster', Source: 'v' })],
    [
      '1.44',
      'BindOptions.ReadOnlyForceRecursive',
      mounts({ Type: 'bind', ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } }),
    ],
    ['1.45', 'VolumeOptions.Subpath', mounts({ Type: 'volume', VolumeOptions: { Subpath: 'a' } })],
    ['1.46', 'TmpfsOptions.Options', mounts({ Type: 'tmpfs', TmpfsOptions: { Options: [['exec']] } })],
    [
      '1.46',
      'sysctls of an endpoint',
      endpoints({
        net: { DriverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.forwarding=1' } },
      }),
    ],
    ['1.48', 'a mount of type "image"', mounts({ Type: 'image', Source: 'busybox' })],
    ['1.48', 'GwPriority', endpoints({ net: { GwPriority: 1 } }, 'net')],
  ];
  for (const [since, feature, body] of needed) {
    it(`needs an engine of ${since} for ${feature}`, () => {
      assert.equal(minimumApiVersion(body), since);
    });

    it(`is refused by an engine older than ${since} for ${feature}`, () => {
      const engine = olderThan(since);
      assert.throws(
        () => create(body, engine),
        (error) =>
          error instanceof ApiError &&
          error.status === 400 &&
          error.message ===
            `${feature} needs an engine of API ${since} or newer, and node node-1 speaks ${engine.apiVersion.max}`,
      );
    });

    it(`goes as it is to an engine of ${since} with ${feature}`, () => {
      assert.equal(create(body, anEngine('1.24', since)).body, body);
    });
  }

  it('needs the newest of the versions of all that it asks for', () => {
    const both = mounts({ Type: 'volume', VolumeOptions: { Subpath: 'a' } }, { Type: 'image', Source: 'i' });
    assert.equal(minimumApiVersion(both), '1.48');
    assert.equal(minimumApiVersion(mounts({ Type: 'volume', VolumeOptions: { Subpath: '' } })), undefined);
    assert.equal(
      minimumApiVersion(mounts({ Type: 'bind', BindOptions: { ReadOnlyForceRecursive: false } })),
      undefined,
    );
  });
});

describe('host directories that are to be made, before 1.42,', () => {
  const bind = (more: WireObject = {}, options: WireObject = {}): WireObject => ({
    Type: 'bind',
    Source: '/src',
    Target: '/dst',
    BindOptions: { CreateMountpoint: true, ...options },
    ...more,
  });
  const converted: readonly (readonly [string, WireObject, string])[] = [
    ['plain', bind(), '/src:/dst'],
    ['read-only', bind({ ReadOnly: true }), '/src:/dst:ro'],
    ['with propagation', bind({ ReadOnly: true }, { Propagation: 'rslave' }), '/src:/dst:ro,rslave'],
  ];
  for (const [title, mount, expected] of converted) {
    it(`are written as binds: ${title}`, () => {
      const other = { Type: 'volume', Source: 'v', Target: '/v' };
      const { body } = create({ HostConfig: { Binds: ['x:/y'], Mounts: [mount, other] } }, anEngine('1.24', '1.41'));

      assert.deepEqual(body['HostConfig'], { Binds: ['x:/y', expected], Mounts: [other] });
    });
  }

  const kept: readonly (readonly [string, WireObject])[] = [
    ['the directory need not be made', bind({ BindOptions: {} })],
    ['a path holds a colon', bind({ Source: '/a:b' })],
    ['the path is not absolute', bind({ Source: 'name' })],
    ['it is not recursive', bind({}, { NonRecursive: true })],
  ];
  for (const [title, mount] of kept) {
    it(`stay mounts where ${title}`, () => {
      const body = mounts(mount);
      assert.equal(create(body, anEngine('1.24', '1.41')).body, body);
    });
  }

  it('stay mounts from 1.42 on', () => {
    const body = mounts(bind());
    assert.equal(create(body, anEngine('1.24', '1.42')).body, body);
  });
});

describe('several networks at a create, before 1.44,', () => {
  const ids = { front: 'f'.repeat(64), back: 'b'.repeat(64), bridge: '0'.repeat(64) };
  const engine = anEngine('1.24', '1.43', { networks: ids });
  const three = { front: { Aliases: ['web'] }, back: { Aliases: ['api'] }, bridge: null };

  const primaries: readonly (readonly [mode: string | undefined, primary: string])[] = [
    ['front', 'front'],
    ['back', 'back'],
    ['bbbbbbbbbbbb', 'back'],
    [ids.front, 'front'],
    ['default', 'bridge'],
    [undefined, 'bridge'],
    ['unknown', 'back'],
  ];
  for (const [mode, primary] of primaries) {
    it(`become ${primary} and joins in the order of names when the network mode is ${mode ?? 'absent'}`, () => {
      const translated = create(endpoints(three, mode), engine);

      const others = ['back', 'bridge', 'front'].filter((name) => name !== primary);
      assert.deepEqual(translated.body['NetworkingConfig'], {
        EndpointsConfig: { [primary]: three[primary as keyof typeof three] },
      });
      assert.deepEqual(
        translated.followUps,
        others.map((network) => ({ network, endpoint: three[network as keyof typeof three] ?? {} })),
      );
    });
  }

  it('are recognised by the id that an endpoint holds', () => {
    const { body } = create(endpoints({ a: {}, b: { NetworkID: ids.front } }, 'front'), engine);
    assert.deepEqual(body['NetworkingConfig'], { EndpointsConfig: { b: { NetworkID: ids.front } } });
  });

  it('are joined for older clients too, because Compose sends them', () => {
    assert.equal(create(endpoints(three, 'front'), engine, '1.41').followUps.length, 2);
    assert.equal(create(endpoints(three, 'front'), anEngine('1.24', '1.51'), '1.43').followUps.length, 2);
  });

  for (const mode of ['host', 'none', 'container:web']) {
    it(`are left to the engine when the network mode is ${mode}`, () => {
      const body = endpoints(three, mode);
      assert.equal(create(body, engine).body, body);
    });
  }

  it('are the engine’s own affair from 1.44 on', () => {
    const body = endpoints(three, 'front');
    const translated = create(body, anEngine('1.24', '1.44'));
    assert.equal(translated.body, body);
    assert.deepEqual(translated.followUps, []);
  });
});

describe('the MAC address of an endpoint, before 1.44,', () => {
  const engine = anEngine('1.24', '1.41');

  it('becomes that of the container', () => {
    const { body } = create(endpoints({ net: { MacAddress: '02:42:ac:11:00:02', Aliases: ['a'] } }, 'net'), engine);

    assert.equal(body['MacAddress'], '02:42:ac:11:00:02');
    assert.deepEqual(body['NetworkingConfig'], { EndpointsConfig: { net: { Aliases: ['a'] } } });
  });

  it('gives way to the one that the container has already', () => {
    const written = {
      ...endpoints({ net: { MacAddress: '02:00:00:00:00:01' } }, 'net'),
      MacAddress: '02:00:00:00:00:02',
    };
    assert.equal(create(written, engine).body['MacAddress'], '02:00:00:00:00:02');
  });

  it('is missed with a warning on the other networks', () => {
    const { warnings, body } = create(endpoints({ a: {}, b: { MacAddress: '02:00:00:00:00:01' } }, 'a'), engine);

    assert.deepEqual(warnings, ['node node-1 speaks API 1.41 only: the MAC address on network b is ignored']);
    assert.equal(body['MacAddress'], undefined);
  });

  it('counts for nothing from a client that is as old', () => {
    const body = endpoints({ net: { MacAddress: '02:42:ac:11:00:02' } }, 'net');
    assert.equal(create(body, engine, '1.41').body, body);
  });
});

describe('joining a network', () => {
  const sysctls = { DriverOpts: { 'com.docker.network.endpoint.sysctls': 'x=1' } };
  const body = { Container: 'web', EndpointConfig: sysctls };

  it('with sysctls is refused before 1.46', () => {
    const request = { operation: 'connect network', body, version: '1.51' } as const;
    assert.throws(() => translateRequest(request, anEngine('1.24', '1.45')), { status: 400 });
    assert.equal(translateRequest(request, anEngine('1.24', '1.46')).body, body);
  });
});
