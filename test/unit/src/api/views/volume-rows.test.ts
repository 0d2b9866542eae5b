import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { mergeVolumeRows } from '../../../../../src/api/views/volume-rows.ts';
import type { VolumeRow } from '../../../../../src/docker/types.ts';

function volume(Name: string, Scope = 'local'): VolumeRow {
  return { Name, Driver: 'local', Scope };
}

function merge(first: readonly VolumeRow[], second: readonly VolumeRow[]): unknown {
  return mergeVolumeRows([
    { node: 'node-1', source: 1, rows: first },
    { node: 'node-2', source: 2, rows: second },
  ]).map(({ row, plainName, nodes, sources }) => [row.Name, plainName, nodes, sources]);
}

describe('mergeVolumeRows', () => {
  it('lists local volumes of one name each, all but the first with their node', () => {
    assert.deepEqual(merge([volume('data')], [volume('data'), volume('logs')]), [
      ['data', 'data', ['node-1'], [1]],
      ['node-2/data', 'data', ['node-2'], [2]],
      ['logs', 'logs', ['node-2'], [2]],
    ]);
  });

  it('lists a volume of global scope once', () => {
    assert.deepEqual(merge([volume('nfs', 'global')], [volume('nfs', 'global')]), [
      ['nfs', 'nfs', ['node-1', 'node-2'], [1, 2]],
    ]);
  });

  it('does not take a local volume for a global one', () => {
    assert.deepEqual(merge([volume('nfs', 'global')], [volume('nfs')]), [
      ['nfs', 'nfs', ['node-1'], [1]],
      ['node-2/nfs', 'nfs', ['node-2'], [2]],
    ]);
  });
});
