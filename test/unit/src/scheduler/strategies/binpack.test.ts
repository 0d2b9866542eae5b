import { specifyStrategy, times } from '../specification.ts';

specifyStrategy('binpack', [
  {
    it: 'fills one node before the next',
    nodes: { a: { memoryGib: 2 }, b: { memoryGib: 2 } },
    run: times(5, '-m 1g'),
    on: 'a a b b -',
  },
  {
    it: 'keeps containers that ask for nothing together',
    nodes: { a: {}, b: {}, c: {} },
    run: times(4, ''),
    on: 'a a a a',
  },
  {
    it: 'prefers the node of which a larger part would be in use',
    nodes: { a: { memoryGib: 8 }, b: { memoryGib: 2 }, c: { memoryGib: 4 } },
    run: ['-m 1g', '-m 1g', '-m 1g'],
    on: 'b b c',
  },
  {
    it: 'prefers the node with more containers between equal parts',
    nodes: { a: { memoryGib: 4, runs: ['-m 2g'] }, b: { memoryGib: 4, runs: ['-m 1g', '-m 1g'] } },
    run: ['-m 1g'],
    on: 'b',
  },
  {
    it: 'places 2, 3 and 1 GiB: the third beside the second',
    nodes: { a: { memoryGib: 4 }, b: { memoryGib: 4 } },
    run: ['-m 2g', '-m 3g', '-m 1g'],
    on: 'a b b',
  },
  {
    it: 'gives away five percent more than there is when it is told to, and not more',
    nodes: { a: { memoryGib: 100 } },
    run: ['-m 100g', '-m 5g', '-m 1g'],
    options: { overcommit: { cpu: 0.05, memory: 0.05 } },
    on: 'a a -',
  },
  {
    it: 'holds some back when the overcommit is negative',
    nodes: { a: { memoryGib: 100 } },
    run: ['-m 91g', '-m 90g'],
    options: { overcommit: { cpu: 0, memory: -0.1 } },
    on: '- a',
  },
]);
