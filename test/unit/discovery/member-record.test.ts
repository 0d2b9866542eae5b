import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { formatRecord, viewOfKeys, withdrawnRecord } from '../../../discovery/member-record.ts';

describe('engines in a store of keys', () => {
  const [a, b] = ['10.0.0.1:2375', '[fe80::1]:2375'];
  const cases = [
    {
      title: 'with a key and a record are alive and have facts',
      live: [a],
      records: [[a, formatRecord('{"id":"x"}')]],
      announced: [{ address: a, alive: true, facts: '{"id":"x"}' }],
      withdrawn: [],
    },
    {
      title: 'with a key alone were announced by classicswarm',
      live: [a, b],
      records: [],
      announced: [
        { address: a, alive: true },
        { address: b, alive: true },
      ],
      withdrawn: [],
    },
    {
      title: 'with a record alone are not alive',
      live: [],
      records: [[b, formatRecord(undefined)]],
      announced: [{ address: b, alive: false }],
      withdrawn: [],
    },
    {
      title: 'that were withdrawn are withdrawn, though their key is still there',
      live: [a],
      records: [[a, withdrawnRecord]],
      announced: [],
      withdrawn: [a],
    },
    {
      title: 'with a record that nobody understands are announced',
      live: [a],
      records: [[a, 'not JSON']],
      announced: [{ address: a, alive: true }],
      withdrawn: [],
    },
    { title: 'that are no addresses are left out', live: ['x'], records: [['y', '{}']], announced: [], withdrawn: [] },
  ] as const;
  for (const { title, live, records, announced, withdrawn } of cases) {
    it(title, () => {
      const view = viewOfKeys(new Set(live), new Map(records));

      assert.deepEqual(view.announced, announced);
      assert.deepEqual([...view.withdrawn], withdrawn);
    });
  }
});
