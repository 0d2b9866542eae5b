import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  compareApiVersion,
  maxApiVersion,
  minApiVersion,
  parseApiVersion,
} from '../../../../src/docker/api-version.ts';

describe('API versions', () => {
  it('are two numbers with a dot between them', () => {
    assert.deepEqual(parseApiVersion('1.41'), { major: 1, minor: 41 });
    for (const text of ['', '1', '1.', '.41', '1.41.0', 'v1.41', '1.x', ' 1.41']) {
      assert.equal(parseApiVersion(text), undefined, text);
    }
  });

  it('compare their parts as numbers', () => {
    const sorted = ['1.51', '1.9', '2.0', '1.24'].sort(compareApiVersion);
    assert.deepEqual(sorted, ['1.9', '1.24', '1.51', '2.0']);
    assert.equal(compareApiVersion('1.41', '1.41'), 0);
  });

  it('have a window whose ends are versions in order', () => {
    assert.ok(compareApiVersion(minApiVersion, maxApiVersion) < 0);
  });
});
