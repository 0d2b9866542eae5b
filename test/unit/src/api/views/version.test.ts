import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { toVersion } from '../../../../../src/api/views/version.ts';
import { maxApiVersion, minApiVersion } from '../../../../../src/docker/api-version.ts';
import { someSettings } from './a-node.ts';

describe('version', () => {
  const version = toVersion(someSettings, { os: 'linux', arch: 'amd64', kernelVersion: '6.1.0' });

  it('advertises the same window at its top and in its engine', () => {
    const [engine] = version['Components'] as readonly { Name: string; Details: Record<string, unknown> }[];
    assert.equal(engine?.Name, 'Engine');
    for (const place of [version, engine.Details]) {
      assert.deepEqual([place['ApiVersion'], place['MinAPIVersion']], [maxApiVersion, minApiVersion]);
    }
  });

  it('parses as the version of an engine, with the product beside it', () => {
    assert.match(String(version['Version']), /^\d+\.\d+\.\d+$/);
    assert.deepEqual(version['Platform'], { Name: 'Shoal 1.2.3' });
  });
});
