import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ContainerRow } from '../../../../src/docker/types.ts';
import { KeptRow, wholeRow } from '../../../../src/engine/kept-row.ts';

const row: ContainerRow = {
  Id: 'c1',
  Names: ['/web'],
  Image: 'busybox',
  ImageID: 'sha256:1',
  Created: 1,
  Ports: [{ PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
  Labels: { Status: 'mine' },
  State: 'running',
  Status: 'Up 1 second',
  Mounts: [{ Type: 'volume', Name: 'v1' }],
  Unknown: { field: [1] },
};

describe('a kept row', () => {
  it('gives back every field in its place, unknown ones too', () => {
    const kept = wholeRow(new KeptRow(row));
    assert.deepEqual(kept, row);
    assert.deepEqual(Object.keys(kept), Object.keys(row));
  });

  it('shows the fields that it keeps beside its text and those that it does not', () => {
    const kept = new KeptRow(row);
    assert.deepEqual([kept.Id, kept.Names, kept.State, kept.Labels], ['c1', ['/web'], 'running', { Status: 'mine' }]);
    assert.deepEqual(kept.Mounts, row.Mounts);
    assert.deepEqual(kept.Ports, row.Ports);
  });

  it('is the same as one that differs in its status alone', () => {
    const kept = new KeptRow(row);
    assert.equal(kept.isSameButStatus(new KeptRow({ ...row, Status: 'Up 2 seconds' })), true);
    assert.equal(kept.isSameButStatus(new KeptRow({ ...row, Labels: { Status: 'yours' } })), false);
    assert.equal(kept.isSameButStatus(new KeptRow({ ...row, Mounts: [] })), false);
  });

  it('leaves a row that is not kept as it is', () => {
    assert.equal(wholeRow(row), row);
  });
});
