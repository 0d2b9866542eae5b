import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { freeAddressPool } from '../../../../../src/cluster/swarm/swarm-calls.ts';

describe('the addresses of overlays', () => {
  for (const { hosts, expected } of [
    { hosts: ['192.168.1.5', 'engine.example', 'fd00::1'], expected: '10.0.0.0/12' },
    { hosts: ['10.0.0.11', '10.0.0.12'], expected: '10.16.0.0/12' },
    { hosts: ['10.0.0.11', '10.31.0.1'], expected: '10.32.0.0/12' },
    { hosts: Array.from({ length: 16 }, (_, index) => `10.${index * 16}.0.1`), expected: '10.0.0.0/8' },
  ]) {
    it(`are ${expected} beside engines at ${hosts.slice(0, 3).join(', ')}`, () => {
      assert.equal(freeAddressPool(hosts), expected);
    });
  }
});
