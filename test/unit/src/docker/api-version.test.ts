import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compareApiVersion, maxApiVersion, minApiVersion } from '../../../../src/docker/api-version.ts';

describe('API versions', () => {
  it('compare their parts as numbers', () => {
    const sorted = ['1.51', '1.9', '2.0', '1.24'].sort(compareApiVersion);
    assert.deepEqual(sorted, ['1.9', '1.24', '1.51', '2.0']);
    assert.equal(compareApiVersion('1.41', '1.41'), 0);
    assert.ok(compareApiVersion('1.99999999999999', '1.51') > 0);
    assert.equal(compareApiVersion('001.041', '1.41'), 0);
  });

  it('may have any number of parts, as engines read them', () => {
    assert.ok(compareApiVersion('2', '1.51') > 0);
    assert.ok(compareApiVersion('1.41.5', '1.41') > 0);
    assert.ok(compareApiVersion('1.41.5', '1.42') < 0);
    assert.equal(compareApiVersion('1.24.0', '1.24'), 0);
  });

  it('count what is no number as 0', () => {
    for (const text of ['', '.', '1.', '.41', 'v1.41', '1..4', '1.x']) {
      assert.ok(compareApiVersion(text, minApiVersion) < 0, text);
    }
  });

  it('have a window whose ends are versions in order', () => {
    assert.ok(compareApiVersion(minApiVersion, maxApiVersion) < 0);
  });
});
