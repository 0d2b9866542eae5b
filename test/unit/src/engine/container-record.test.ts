import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ContainerRow } from '../../../../src/docker/types.ts';
import { containerName, sameRow } from '../../../../src/engine/container-record.ts';

function aRow(row: Partial<ContainerRow> = {}): ContainerRow {
  return {
    Id: 'c1',
    Names: ['/web'],
    Image: 'busybox',
    ImageID: 'sha256:1',
    Created: 1,
    Status: 'Up 1 second',
    ...row,
  };
}

describe('the record of a container', () => {
  it('is the same row when only the status has aged, and another one when anything else differs', () => {
    assert.equal(sameRow(aRow(), aRow({ Status: 'Up 2 seconds' })), true);
    assert.equal(sameRow(aRow(), aRow({ State: 'paused' })), false);
    assert.equal(sameRow(aRow(), aRow({ Ports: [{ PrivatePort: 80, Type: 'tcp' }] })), false);
  });

  for (const { names, expected } of [
    { names: ['/web'], expected: 'web' },
    { names: ['/app/db', '/db'], expected: 'db' },
    { names: ['/db', '/app/db'], expected: 'db' },
    { names: [], expected: '' },
  ]) {
    it(`names a container with the names ${JSON.stringify(names)} "${expected}"`, () => {
      assert.equal(containerName(aRow({ Names: names })), expected);
    });
  }
});
