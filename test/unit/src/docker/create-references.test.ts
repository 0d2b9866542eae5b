import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  createReferences,
  rewriteReferences,
  type CreateReferences,
} from '../../../../src/docker/create-references.ts';
import type { CreateBody } from '../../../../src/docker/types.ts';

describe('the references of a create body', () => {
  const cases: readonly {
    readonly title: string;
    readonly body: CreateBody;
    readonly expected: Partial<CreateReferences>;
  }[] = [
    {
      title: 'are none in a plain one',
      body: { Image: 'busybox' },
      expected: { image: 'busybox', networkMode: 'default', networks: [], volumes: [], neighbours: [] },
    },
    {
      title: 'hold the containers whose volumes, network, ipc and processes it shares',
      body: {
        HostConfig: {
          VolumesFrom: ['data:ro', 'more'],
          NetworkMode: 'container:web',
          IpcMode: 'container:ipc',
          PidMode: 'container:pid',
        },
      },
      expected: {
        volumesFrom: ['data', 'more'],
        networkContainer: 'web',
        ipcContainer: 'ipc',
        pidContainer: 'pid',
        networks: [],
        neighbours: ['data', 'more', 'web', 'ipc', 'pid'],
      },
    },
    {
      title: 'hold links as neighbours on the default bridge',
      body: { HostConfig: { Links: ['db:database'], NetworkMode: 'bridge' } },
      expected: { links: ['db'], neighbours: ['db'] },
    },
    {
      title: 'hold no links as neighbours on a network of its own',
      body: { HostConfig: { Links: ['db:database'], NetworkMode: 'app' } },
      expected: { links: ['db'], neighbours: [], networks: ['app'] },
    },
    {
      title: 'hold every user-defined network once',
      body: {
        HostConfig: { NetworkMode: 'app' },
        NetworkingConfig: { EndpointsConfig: { app: {}, back: { NetworkID: 'abc' }, bridge: null } },
      },
      expected: { networks: ['app', 'abc'] },
    },
    {
      title: 'hold the named volumes of binds and mounts, not host paths and anonymous ones',
      body: {
        HostConfig: {
          Binds: ['data:/data:ro', '/host:/x', '/anonymous', '~/x:/y', 'C:\\x:/y', './x:/y', 'node-1/logs:/logs'],
          Mounts: [
            { Type: 'volume', Source: 'cache', Target: '/c' },
            { Type: 'volume', Target: '/anonymous' },
            { Type: 'bind', Source: '/host', Target: '/h' },
          ],
        },
      },
      expected: { volumes: ['data', 'node-1/logs', 'cache'] },
    },
    {
      title: 'are found in whatever case the members are written',
      body: { image: 'busybox', hostconfig: { binds: ['data:/data'], networkmode: 'app' } },
      expected: { image: 'busybox', volumes: ['data'], networks: ['app'] },
    },
    {
      title: 'are none in a body whose members have other types',
      body: {
        Image: 3,
        HostConfig: { Binds: 'data:/data', VolumesFrom: [7], Mounts: [null], NetworkMode: {} },
        NetworkingConfig: [],
      },
      expected: { image: '', volumes: [], volumesFrom: [], networks: [], networkMode: 'default' },
    },
  ];
  for (const { title, body, expected } of cases) {
    it(title, () => {
      const found: Partial<Record<string, unknown>> = { ...createReferences(body) };
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(found[key], value, key);
    });
  }

  it('are rewritten in place, and nothing else is', () => {
    const body = {
      Image: 'busybox',
      unknown: { deep: [1] },
      HostConfig: {
        VolumesFrom: ['n1/data:ro'],
        Links: ['n1/db:database'],
        Binds: ['n1/vol:/data:rw', '/host:/x'],
        mounts: [
          { Type: 'volume', Source: 'n1/cache', Target: '/c', More: true },
          { Type: 'bind', Source: '/h' },
        ],
        NetworkMode: 'n1/app',
        IpcMode: 'container:n1/ipc',
        PidMode: 'host',
        Future: 'kept',
      },
      NetworkingConfig: {
        EndpointsConfig: { 'n1/app': { NetworkID: 'n1/app', Links: ['n1/db:x'], Aliases: ['a'] }, bridge: {} },
      },
    };
    const before = structuredClone(body);
    const rewritten = rewriteReferences(body, (kind, reference) => `${kind[0] ?? ''}-${reference.replace('n1/', '')}`);
    assert.deepEqual(rewritten, {
      Image: 'busybox',
      unknown: { deep: [1] },
      HostConfig: {
        VolumesFrom: ['c-data:ro'],
        Links: ['c-db:database'],
        Binds: ['v-vol:/data:rw', '/host:/x'],
        mounts: [
          { Type: 'volume', Source: 'v-cache', Target: '/c', More: true },
          { Type: 'bind', Source: '/h' },
        ],
        NetworkMode: 'n-app',
        IpcMode: 'container:c-ipc',
        PidMode: 'host',
        Future: 'kept',
      },
      NetworkingConfig: {
        EndpointsConfig: { 'n-app': { NetworkID: 'n-app', Links: ['c-db:x'], Aliases: ['a'] }, bridge: {} },
      },
    });
    assert.deepEqual(body, before);
  });

  it('in a network mode of another container are rewritten as a container', () => {
    const body = { HostConfig: { NetworkMode: 'container:n1/web' } };
    const rewritten = rewriteReferences(body, (kind, reference) => `${kind}:${reference}`);
    assert.deepEqual(rewritten, { HostConfig: { NetworkMode: 'container:container:n1/web' } });
  });
});
