import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { toInspectView } from '../../../../../src/api/views/inspect-container.ts';
import { writePlacement } from '../../../../../src/cluster/create/placement-label.ts';
import { publishedAddress } from '../../../../../src/api/views/published-address.ts';
import type { PortMap } from '../../../../../src/docker/types.ts';

const identity = { id: 'ID1', name: 'node-1' };

function shownPorts(ports: PortMap, host: string): unknown {
  const node = { address: `${host}:2375`, host, labels: {}, info: undefined };
  const inspect = { Id: 'a', Name: '/web', Created: '', Image: '', NetworkSettings: { Ports: ports, Gateway: 'g' } };
  return toInspectView(inspect, node, identity).NetworkSettings?.Ports;
}

describe('a published address', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['0.0.0.0', '10.0.0.5', '10.0.0.5'],
    ['0.0.0.0', 'fd00::5', '0.0.0.0'],
    ['0.0.0.0', 'node-1.example', '0.0.0.0'],
    ['::', '10.0.0.5', undefined],
    ['::', 'fd00::5', 'fd00::5'],
    ['127.0.0.1', '10.0.0.5', '127.0.0.1'],
    ['', '10.0.0.5', ''],
  ];
  for (const [ip, host, expected] of cases) {
    it(`of '${ip}' on ${host} is ${expected === undefined ? 'left out' : `'${expected}'`}`, () => {
      assert.equal(publishedAddress(ip, host), expected);
    });
  }
});

describe('the view of an inspect', () => {
  it('shows bindings of both address families once, under the address of the node', () => {
    const ports = {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
    };

    assert.deepEqual(shownPorts(ports, '10.0.0.5'), { '80/tcp': [{ HostIp: '10.0.0.5', HostPort: '8080' }] });
  });

  it('keeps a binding that exists for IPv6 only', () => {
    const ports = { '80/tcp': [{ HostIp: '::', HostPort: '8080' }] };

    assert.deepEqual(shownPorts(ports, '10.0.0.5'), ports);
  });

  it('keeps ports that are exposed and not published', () => {
    assert.deepEqual(shownPorts({ '80/tcp': null }, '10.0.0.5'), { '80/tcp': null });
  });

  it('names the node and leaves everything else as the engine said it', () => {
    const node = {
      address: '10.0.0.5:2375',
      host: '10.0.0.5',
      labels: { storage: 'ssd' },
      info: { NCPU: 4, MemTotal: 1024 },
    };
    const inspect = {
      Id: 'a',
      Name: '/web',
      Created: 'then',
      Image: 'sha256:1',
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '80' }] } },
      Future: { field: 1 },
    };

    assert.deepEqual(toInspectView(inspect, node, identity), {
      ...inspect,
      Placement: null,
      Node: {
        ID: 'ID1',
        IP: '10.0.0.5',
        Addr: '10.0.0.5:2375',
        Name: 'node-1',
        Cpus: 4,
        Memory: 1024,
        Labels: { storage: 'ssd' },
      },
    });
  });

  it('tells why the container is on its node, from what was kept on it', () => {
    const decision = {
      node: 'node-1',
      strategy: 'spread',
      candidates: 2,
      nodes: 3,
      score: { parts: { cpu: 33.333, memory: 25 }, ties: { containers: 4 } },
      givenUp: ['zone==~moon'],
    };
    const label = writePlacement(decision, [{ node: 'node-2', error: 'no space left' }]);
    const placementOf = (text: string): unknown => {
      const inspect = {
        Id: 'a',
        Name: '/a',
        Created: '',
        Image: '',
        Config: { Labels: { 'com.docker.swarm.placement': text } },
      };
      return toInspectView(inspect, { address: '', host: '', labels: {}, info: undefined }, identity)['Placement'];
    };

    assert.deepEqual(placementOf(label), {
      Node: 'node-1',
      Strategy: 'spread',
      Candidates: 2,
      Nodes: 3,
      Score: 58.33,
      Parts: { cpu: 33.33, memory: 25 },
      Ties: { containers: 4 },
      GivenUp: ['zone==~moon'],
      Attempts: [{ Node: 'node-2', Error: 'no space left' }],
    });
    assert.equal(placementOf('{"Node"'), null);
    assert.equal(placementOf('[1]'), null);
  });
});
