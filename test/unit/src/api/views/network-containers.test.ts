import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { networkContainers } from '../../../../../src/api/views/network-containers.ts';
import type { EndpointSettings } from '../../../../../src/docker/types.ts';
import type { ContainerRecord } from '../../../../../src/engine/mirror.ts';

function record(id: string, networks: Readonly<Record<string, EndpointSettings>>): ContainerRecord {
  const row = { Id: id, Names: [`/${id}`], Image: 'x', ImageID: 'x', Created: 1 };
  return { id, name: id, row: { ...row, NetworkSettings: { Networks: networks } }, details: undefined };
}

describe('the containers of networks', () => {
  it('are told with their addresses, by network', () => {
    const endpoint = { MacAddress: '02:42:ac:11:00:02', IPAddress: '172.17.0.2', IPPrefixLen: 16 };
    const six = { GlobalIPv6Address: 'fd00::3', GlobalIPv6PrefixLen: 64 };
    const found = networkContainers([
      record('web', {
        bridge: { NetworkID: 'n1', EndpointID: 'e1', ...endpoint },
        back: { NetworkID: 'n2', EndpointID: 'e2', ...endpoint, ...six },
      }),
      record('db', { back: { NetworkID: 'n2', EndpointID: 'e3' } }),
      record('ended', { back: { NetworkID: 'n2', EndpointID: '' } }),
    ]);
    const { MacAddress } = endpoint;
    const IPv4Address = '172.17.0.2/16';
    assert.deepEqual(Object.fromEntries(found), {
      n1: { web: { Name: 'web', EndpointID: 'e1', MacAddress, IPv4Address, IPv6Address: '' } },
      n2: {
        web: { Name: 'web', EndpointID: 'e2', MacAddress, IPv4Address, IPv6Address: 'fd00::3/64' },
        db: { Name: 'db', EndpointID: 'e3', MacAddress: '', IPv4Address: '', IPv6Address: '' },
      },
    });
  });
});
