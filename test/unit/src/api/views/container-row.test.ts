import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { shownContainerRow } from '../../../../../src/api/views/container-row.ts';
import type { RowNode } from '../../../../../src/api/views/container-row.ts';
import { rowBytes } from '../../../../../src/api/views/written-rows.ts';
import { createSilentLogger } from '../../../../../src/common/logger.ts';
import type { ContainerInspect, ContainerRow, PortRow } from '../../../../../src/docker/types.ts';
import { parseContainerDetails } from '../../../../../src/engine/container-details.ts';
import { Engine } from '../../../../../src/engine/engine.ts';
import type { ContainerRecord } from '../../../../../src/engine/mirror.ts';

const now = Date.parse('2026-01-01T00:05:00Z');
const node: RowNode = { name: 'node-1', host: '10.0.0.5', isHealthy: true, prefixesNames: false };

function record(row: Partial<ContainerRow> = {}, state?: ContainerInspect['State']): ContainerRecord {
  const whole = { Id: 'c1', Names: ['/web'], Image: 'busybox', ImageID: 'sha256:1', Created: 1, ...row };
  const inspect = { Id: 'c1', Name: '/web', Created: '', Image: '', ...(state === undefined ? {} : { State: state }) };
  return { id: 'c1', name: 'web', row: whole, details: state && parseContainerDetails(inspect) };
}

const engine = new Engine({ address: '10.0.0.5:2375', logger: createSilentLogger() });

function shown(record: ContainerRecord, by: RowNode = node, atMs = now): Record<string, unknown> {
  const bytes = rowBytes([{ engine, record }], { of: () => by, revision: '' }, atMs);
  return JSON.parse(bytes.toString().replace(/^,/, '')) as Record<string, unknown>;
}

describe('a row of the container list', () => {
  it('has the plain name first and the name with its node behind', () => {
    assert.deepEqual(shown(record({ Names: ['/web', '/db/alias'] }))['Names'], [
      '/web',
      '/db/alias',
      '/node-1/web',
      '/node-1/db/alias',
    ]);
  });

  it('has only names with the node where the manager was told so', () => {
    assert.deepEqual(shown(record(), { ...node, prefixesNames: true })['Names'], ['/node-1/web']);
  });

  it('tells the node by a label and keeps the others', () => {
    assert.deepEqual(shown(record({ Labels: { a: 'b' } }))['Labels'], { a: 'b', 'com.docker.swarm.node': 'node-1' });
  });

  it('shows the network mode that was asked for, where it was left open', () => {
    const Labels = { 'com.docker.swarm.network.mode': 'wide' };
    assert.deepEqual(shown(record({ Labels, HostConfig: { NetworkMode: 'bridge' } }))['HostConfig'], {
      NetworkMode: 'wide',
    });
  });

  it('keeps the order of the fields and those it does not know', () => {
    const row = { State: 'running', Status: 'Up 1 second', Mounts: [], Health: { Status: 'none' } };
    const fields = Object.keys(shown(record(row))).filter((field) => field in row);
    assert.deepEqual(fields, ['State', 'Status', 'Mounts', 'Health']);
  });

  it('is not confused by text that looks like its status', () => {
    const text = '"Status":"Up"';
    const row = shown(record({ Command: text, Labels: { Status: text }, Status: 'Up 1 second' }));
    assert.equal(row['Command'], text);
    assert.equal(row['Status'], 'Up 1 second');
  });

  const running = { Status: 'running', Running: true, StartedAt: '2026-01-01T00:00:00Z' };
  it('computes the status from the details, at the moment of the call', () => {
    const one = record({ Status: 'Up 1 second' }, running);
    assert.equal(shown(one)['Status'], 'Up 5 minutes');
    assert.equal(shown(one, node, now + 60_000)['Status'], 'Up 6 minutes');
  });

  it('says Host Down, and that again not, as the node goes and comes', () => {
    const one = record({}, running);
    assert.equal(shown(one, { ...node, isHealthy: false })['Status'], 'Host Down');
    assert.equal(shown(one)['Status'], 'Up 5 minutes');
  });

  it('follows a node that is renamed', () => {
    const one = record();
    shown(one);
    assert.deepEqual(shown(one, { ...node, name: 'other' })['Names'], ['/web', '/other/web']);
  });

  it('is the same as text and as an object', () => {
    const one = record({ Ports: [{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }] }, running);
    assert.deepEqual(shown(one), shownContainerRow(one.row, one, node, now));
  });

  const v4: PortRow = { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' };
  const v6: PortRow = { ...v4, IP: '::' };
  const ports: readonly (readonly [string, string, readonly PortRow[], readonly PortRow[]])[] = [
    ['shows both families once', '10.0.0.5', [v4, v6], [{ ...v4, IP: '10.0.0.5' }]],
    ['keeps a port of IPv6 only', '10.0.0.5', [v6], [v6]],
    [
      'keeps a port of IPv6 that is another one',
      '10.0.0.5',
      [v4, { ...v6, PrivatePort: 81 }],
      [
        { ...v4, IP: '10.0.0.5' },
        { ...v6, PrivatePort: 81 },
      ],
    ],
    ['names an IPv6 node', 'fd00::5', [v6], [{ ...v6, IP: 'fd00::5' }]],
    ['shows no host name for an address', 'node-1.example', [v4, v6], [v4]],
    ['leaves a specific address', '10.0.0.5', [{ ...v4, IP: '127.0.0.1' }], [{ ...v4, IP: '127.0.0.1' }]],
    ['leaves what is exposed only', '10.0.0.5', [{ PrivatePort: 80, Type: 'tcp' }], [{ PrivatePort: 80, Type: 'tcp' }]],
  ];
  for (const [title, host, given, expected] of ports) {
    it(`${title} among the ports`, () => {
      assert.deepEqual(shown(record({ Ports: given }), { ...node, host })['Ports'], expected);
    });
  }

  it('has a list of ports where the engine has none', () => {
    assert.deepEqual(shown(record({ Ports: null }))['Ports'], []);
  });
});
