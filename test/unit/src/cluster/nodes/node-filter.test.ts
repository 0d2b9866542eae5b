import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { nodeFilter, nodeNameFilter } from '../../../../../src/cluster/nodes/node-filter.ts';
import { Filters } from '../../../../../src/docker/filters.ts';

const nodes = ['node-1', 'node-10', 'node-2', 'big.one'].map((name) => ({ name, id: `ID of ${name}`, address: '' }));

describe('the filter node', () => {
  for (const [values, expected] of [
    [undefined, ['node-1', 'node-10', 'node-2', 'big.one']],
    [['node-1'], ['node-1']],
    [
      ['node-1', 'node-2'],
      ['node-1', 'node-2'],
    ],
    [['node-*'], ['node-1', 'node-10', 'node-2']],
    [['node-?'], ['node-1', 'node-2']],
    [['node-[12]'], ['node-1', 'node-2']],
    [['big.*'], ['big.one']],
    [['big?one'], ['big.one']],
    [['ID of node-2'], ['node-2']],
    [['ID of*'], []],
    [['node'], []],
    [['node-['], []],
  ] as const) {
    it(`means ${expected.join(', ') || 'no node'} by ${JSON.stringify(values)}`, () => {
      const filters = new Filters(values === undefined ? [] : [['node', values]]);
      const named = (names: readonly { readonly name: string }[]): string[] => names.map(({ name }) => name);
      assert.deepEqual(named(nodes.filter(nodeFilter(filters))), expected);
      const isWanted = nodeNameFilter(filters, nodes);
      assert.deepEqual(named(nodes.filter(({ name }) => isWanted(name))), expected);
    });
  }
});
