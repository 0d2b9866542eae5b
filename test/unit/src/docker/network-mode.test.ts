import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withAskedNetworkMode, withOpenNetworkMode } from '../../../../src/docker/network-mode.ts';

describe('the network mode of a container on a network of a swarm', () => {
  const isOfSwarm = (name: string): boolean => name === 'wide';
  const open = {
    Labels: { a: 'b', 'com.docker.swarm.network.mode': 'wide' },
    HostConfig: { NetworkMode: 'default', Memory: 1 },
  };

  it('is left open, and kept for those who ask', () => {
    const EndpointsConfig = { other: {}, wide: { Aliases: ['db'] } };
    const body = {
      Labels: { a: 'b' },
      HostConfig: { NetworkMode: 'wide', Memory: 1 },
      NetworkingConfig: { EndpointsConfig },
    };
    assert.deepEqual(withOpenNetworkMode(body, isOfSwarm), { ...open, NetworkingConfig: { EndpointsConfig } });
  });

  it('becomes an endpoint where it is the only word of the network', () => {
    const body = { Labels: { a: 'b' }, HostConfig: { NetworkMode: 'wide', Memory: 1 } };
    const NetworkingConfig = { EndpointsConfig: { wide: {} } };
    assert.deepEqual(withOpenNetworkMode(body, isOfSwarm), { ...open, NetworkingConfig });
  });

  it('is left open without links to containers, which an engine looks for on the default network alone', () => {
    const NetworkingConfig = { EndpointsConfig: { wide: { Links: ['db:store'] } } };
    const body = {
      Labels: { a: 'b' },
      HostConfig: { NetworkMode: 'wide', Memory: 1, Links: ['db:store'] },
      NetworkingConfig,
    };
    assert.deepEqual(withOpenNetworkMode(body, isOfSwarm), { ...open, NetworkingConfig });
  });

  for (const mode of ['', 'default', 'bridge', 'host', 'none', 'container:db', 'narrow']) {
    it(`stays as it is when it is "${mode}"`, () => {
      const body = { HostConfig: { NetworkMode: mode } };
      assert.equal(
        withOpenNetworkMode(body, (name) => name !== 'narrow'),
        body,
      );
    });
  }

  it('is shown as it was asked for', () => {
    const shown = (NetworkMode: string, Labels = {}): string =>
      withAskedNetworkMode({ NetworkMode }, Labels).NetworkMode;
    assert.equal(shown('default', open.Labels), 'wide');
    assert.equal(shown('bridge', open.Labels), 'wide');
    assert.equal(shown('host', open.Labels), 'host');
    assert.equal(shown('default'), 'default');
  });
});
