import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createAgain } from '../../../../src/docker/create-again.ts';
import type { ContainerInspect } from '../../../../src/docker/types.ts';

const id = 'abcdef012345'.padEnd(64, '6');

function inspect(parts: Partial<ContainerInspect>): ContainerInspect {
  return { Id: id, Name: '/web', Created: '2026-01-01T00:00:00Z', Image: 'sha256:1', ...parts };
}

describe('a container to be created again', () => {
  it('keeps its configuration, known or not', () => {
    const body = createAgain(
      inspect({
        Config: { Image: 'busybox', Env: ['A=1'], Hostname: 'web', Future: 1 },
        HostConfig: { Memory: 5, RestartPolicy: { Name: 'always' }, Binds: ['data:/data'], NetworkMode: 'default' },
      }),
      () => false,
    );
    assert.deepEqual(body, {
      Image: 'busybox',
      Env: ['A=1'],
      Hostname: 'web',
      Future: 1,
      HostConfig: {
        Memory: 5,
        RestartPolicy: { Name: 'always' },
        Binds: ['data:/data'],
        NetworkMode: 'default',
        Links: null,
      },
      NetworkingConfig: { EndpointsConfig: {} },
    });
  });

  for (const [title, hostname, mode] of [
    ['a host name that is its own id', id.slice(0, 12), 'default'],
    ['the host name of its node', 'node-1', 'host'],
    ['the host name of another container', 'other', 'container:x'],
  ] as const) {
    it(`leaves out ${title}`, () => {
      const body = createAgain(
        inspect({ Config: { Hostname: hostname }, HostConfig: { NetworkMode: mode } }),
        () => false,
      );
      assert.equal('Hostname' in body, false);
    });
  }

  it('keeps what was asked of its networks and leaves out what they gave', () => {
    const settings = {
      Aliases: ['web', id.slice(0, 12)],
      IPAMConfig: { IPv4Address: '10.1.0.9' },
      DriverOpts: null,
      NetworkID: 'n1',
      EndpointID: 'e1',
      IPAddress: '10.1.0.9',
      MacAddress: '02:42:0a:01:00:09',
    };
    const body = createAgain(
      inspect({
        HostConfig: { NetworkMode: 'front', Links: ['/db:/web/store', '/db:/web/db'] },
        NetworkSettings: { Networks: { front: settings, wide: settings, bridge: settings } },
      }),
      (network) => network === 'wide',
    );
    assert.deepEqual(body['NetworkingConfig'], {
      EndpointsConfig: {
        front: { Aliases: ['web'], IPAMConfig: { IPv4Address: '10.1.0.9' } },
        wide: { Aliases: ['web'] },
      },
    });
    assert.deepEqual(body['HostConfig'], { NetworkMode: 'front', Links: ['db:store', 'db:db'] });
  });

  it('has the network mode that was asked for, where another one was written', () => {
    const body = createAgain(
      inspect({
        Config: { Labels: { 'com.docker.swarm.network.mode': 'wide' } },
        HostConfig: { NetworkMode: 'default' },
        NetworkSettings: { Networks: { wide: {} } },
      }),
      () => true,
    );
    assert.deepEqual(body['HostConfig'], { NetworkMode: 'wide', Links: null });
  });
});
