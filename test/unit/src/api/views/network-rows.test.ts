import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { mergeNetworkRows } from '../../../../../src/api/views/network-rows.ts';
import type { NetworkRow } from '../../../../../src/docker/types.ts';

function network(Id: string, Name: string, Scope = 'local'): NetworkRow {
  return { Id, Name, Scope };
}

describe('mergeNetworkRows', () => {
  it('shows what every engine makes for itself once, with the id of the first node', () => {
    const listed = mergeNetworkRows([
      { node: 'node-1', rows: [network('1', 'bridge'), network('2', 'host'), network('3', 'docker_gwbridge')] },
      { node: 'node-2', rows: [network('4', 'bridge'), network('5', 'host'), network('6', 'docker_gwbridge')] },
    ]);
    assert.deepEqual(
      listed.map(({ row, nodes, ids }) => [row.Id, row.Name, nodes, ids]),
      [
        ['1', 'bridge', ['node-1', 'node-2'], ['1', '4']],
        ['2', 'host', ['node-1', 'node-2'], ['2', '5']],
        ['3', 'docker_gwbridge', ['node-1', 'node-2'], ['3', '6']],
      ],
    );
  });

  it('shows a network that several engines share once, with all its nodes', () => {
    const overlay = network('9', 'front', 'swarm');
    const listed = mergeNetworkRows([
      { node: 'node-1', rows: [overlay] },
      { node: 'node-2', rows: [overlay] },
    ]);
    assert.deepEqual(listed, [{ row: overlay, plainName: 'front', nodes: ['node-1', 'node-2'], ids: ['9', '9'] }]);
  });

  it('names the node of every network but the first whose name is taken', () => {
    const listed = mergeNetworkRows([
      { node: 'node-1', rows: [network('1', 'front')] },
      { node: 'node-2', rows: [network('2', 'front'), network('3', 'back')] },
    ]);
    assert.deepEqual(
      listed.map(({ row, plainName }) => [row.Name, plainName]),
      [
        ['front', 'front'],
        ['node-2/front', 'front'],
        ['back', 'back'],
      ],
    );
  });

  it('keeps every field of a network', () => {
    const row = { ...network('1', 'front'), IPAM: { Driver: 'default' }, Labels: { a: 'b' } };
    assert.deepEqual(mergeNetworkRows([{ node: 'node-1', rows: [row] }])[0]?.row, row);
  });
});
