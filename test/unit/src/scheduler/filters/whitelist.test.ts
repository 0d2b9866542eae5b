import { specifyFilter } from '../specification.ts';

specifyFilter('whitelist', [
  {
    it: 'leaves only the nodes that are named',
    nodes: { a: {}, b: {}, c: {} },
    run: '-e whitelist:node==b|c',
    on: 'b c',
    because: { a: 'whitelist node==b|c leaves it out' },
  },
  {
    it: 'leaves out the nodes that are named with !=',
    nodes: { a: {}, b: {}, c: {} },
    run: '-e whitelist:node!=b|c',
    on: 'a',
  },
  {
    it: 'knows nodes by id',
    nodes: { a: { id: 'ID1' }, b: {} },
    run: '-e whitelist:node==ID1',
    on: 'a',
  },
  {
    it: 'needs a node that is in all of them',
    nodes: { a: {}, b: {}, c: {} },
    run: '-e whitelist:node==a|b -e whitelist:node==b|c',
    on: 'b',
  },
  {
    it: 'does not look at the key, and is read from its label too',
    nodes: { a: {}, b: {} },
    run: '-l com.docker.swarm.whitelists=["any==a"]',
    on: 'a',
  },
]);
