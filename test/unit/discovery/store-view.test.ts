import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { sameMembership } from '../../../discovery/entry.ts';
import { mergeMembership } from '../../../discovery/store-view.ts';

const alive = (address: string) => ({ address, alive: true });
const lapsed = (address: string) => ({ address, alive: false });
const missing = (address: string) => ({ address, alive: false, missing: true });

describe('the membership after an answer of a store', () => {
  const cases = [
    {
      title: 'takes what is announced',
      known: [],
      announced: [alive('b:1'), lapsed('a:1')],
      withdrawn: [],
      expected: [lapsed('a:1'), alive('b:1')],
    },
    {
      title: 'keeps everything, as missing, after the store was wiped',
      known: [alive('a:1'), lapsed('b:1')],
      announced: [],
      withdrawn: [],
      expected: [missing('a:1'), missing('b:1')],
    },
    {
      title: 'lets go of what was withdrawn',
      known: [alive('a:1'), alive('b:1')],
      announced: [alive('b:1')],
      withdrawn: ['a:1'],
      expected: [alive('b:1')],
    },
    {
      title: 'lets go of the last engine when it was withdrawn',
      known: [alive('a:1')],
      announced: [],
      withdrawn: ['a:1'],
      expected: [],
    },
    {
      title: 'lets go of what is withdrawn while it is missing',
      known: [missing('a:1')],
      announced: [],
      withdrawn: ['a:1'],
      expected: [],
    },
    {
      title: 'lets go of what was withdrawn and is still listed elsewhere',
      known: [alive('a:1')],
      announced: [lapsed('a:1')],
      withdrawn: ['a:1'],
      expected: [],
    },
    {
      title: 'believes the living of two registrations',
      known: [],
      announced: [lapsed('a:1'), alive('a:1')],
      withdrawn: [],
      expected: [alive('a:1')],
    },
    {
      title: 'takes an engine back that was missing',
      known: [missing('a:1')],
      announced: [alive('a:1')],
      withdrawn: [],
      expected: [alive('a:1')],
    },
    {
      title: 'keeps the facts of an engine that vanished',
      known: [{ ...alive('a:1'), facts: 'x' }],
      announced: [],
      withdrawn: [],
      expected: [{ ...missing('a:1'), facts: 'x' }],
    },
  ];
  for (const { title, known, announced, withdrawn, expected } of cases) {
    it(title, () => {
      assert.deepEqual(mergeMembership(known, { announced, withdrawn: new Set(withdrawn) }), expected);
    });
  }

  it('is another one when an engine is missing that was only not alive', () => {
    assert.ok(!sameMembership([lapsed('a:1')], [missing('a:1')]));
    assert.ok(sameMembership([lapsed('a:1')], [{ ...lapsed('a:1'), missing: false }]));
  });
});
