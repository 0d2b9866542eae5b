import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isBuiltinNetwork, isPredefinedNetwork } from '../../../../src/docker/predefined-networks.ts';

describe('predefined networks', () => {
  for (const [name, isBuiltin, isPredefined] of [
    ['bridge', true, true],
    ['host', true, true],
    ['none', true, true],
    ['default', true, true],
    ['docker_gwbridge', false, true],
    ['ingress', false, true],
    ['front', false, false],
    ['nat', false, false],
  ] as const) {
    it(`are told from others: ${name}`, () => {
      assert.deepEqual([isBuiltinNetwork(name), isPredefinedNetwork(name)], [isBuiltin, isPredefined]);
    });
  }
});
