import { specifyStrategy, times } from '../specification.ts';

specifyStrategy('random', [
  {
    it: 'takes any node, in an order that the seed alone decides',
    nodes: { a: {}, b: {}, c: {} },
    run: times(8, ''),
    options: { seed: 7 },
    on: 'a c b c c b c c',
  },
  {
    it: 'does not look at the load, only at what fits',
    nodes: { a: { memoryGib: 1, runs: times(9, '') }, b: { memoryGib: 1 }, c: { memoryGib: 1 } },
    run: times(4, '-m 1g'),
    options: { seed: 8 },
    on: 'a c b -',
  },
]);
