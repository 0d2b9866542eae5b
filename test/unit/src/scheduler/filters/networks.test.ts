import { specifyFilter } from '../specification.ts';

specifyFilter('networks', [
  {
    it: 'goes to the node of a local network',
    nodes: { a: {}, b: { networks: ['app'] } },
    run: '--network app',
    on: 'b',
    because: { a: 'network app is not on this node' },
  },
  {
    it: 'goes anywhere that a network of several nodes reaches',
    nodes: { a: { networks: ['app'] }, b: { networks: ['app'] }, c: {} },
    run: '--network app',
    on: 'a b',
  },
  {
    it: 'needs a node with all of its networks',
    nodes: { a: { networks: ['app'] }, b: { networks: ['app', 'back'] } },
    run: '--network app --network back',
    on: 'b',
  },
  {
    it: 'lets an unknown network be anywhere: the engine refuses it at the start',
    nodes: { a: {}, b: {} },
    run: '--network app',
    on: 'a b',
  },
  { it: 'says nothing of the networks of every engine', nodes: { a: {}, b: {} }, run: '--network host', on: 'a b' },
]);
