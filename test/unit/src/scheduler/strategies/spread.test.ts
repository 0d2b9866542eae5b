import { specifyStrategy, times } from '../specification.ts';

specifyStrategy('spread', [
  {
    it: 'puts six containers on three nodes two by two',
    nodes: { a: {}, b: {}, c: {} },
    run: times(6, ''),
    on: 'a b c a b c',
  },
  {
    it: 'does not count stopped containers',
    nodes: { a: { stopped: times(50, '') }, b: { runs: [''] } },
    run: [''],
    on: 'a',
  },
  {
    it: 'prefers the node of which a smaller part would be in use',
    nodes: { a: { memoryGib: 2 }, b: { memoryGib: 4 } },
    run: ['-m 1g', '-m 1g', '-m 1g'],
    on: 'b a b',
  },
  {
    it: 'adds up CPU and memory',
    nodes: { a: { memoryGib: 4, cpus: 4, runs: ['-m 3g'] }, b: { memoryGib: 4, cpus: 4, runs: ['--cpus 2'] } },
    run: ['-m 1g --cpus 1'],
    on: 'b',
  },
  {
    it: 'prefers the node with fewer containers between equal parts',
    nodes: { a: { memoryGib: 4, runs: ['-m 1g', '-m 1g'] }, b: { memoryGib: 4, runs: ['-m 2g'] } },
    run: ['-m 1g'],
    on: 'b',
  },
  {
    it: 'places 2, 3 and 1 GiB: the third beside the first',
    nodes: { a: { memoryGib: 4 }, b: { memoryGib: 4 } },
    run: ['-m 2g', '-m 3g', '-m 1g'],
    on: 'a b a',
  },
  {
    it: 'treats nodes of different size alike when nothing is asked for',
    nodes: { a: { memoryGib: 64, cpus: 21 }, b: { memoryGib: 128, cpus: 42 } },
    run: times(4, ''),
    on: 'a b a b',
  },
  {
    it: 'fills nodes in proportion to their CPUs',
    nodes: { a: { cpus: 2 }, b: { cpus: 4 } },
    run: times(6, '--cpus 1'),
    on: 'b a b b a b',
  },
  {
    it: 'fills nodes until nothing is left, then refuses',
    nodes: { a: { memoryGib: 1, cpus: 1 }, b: { memoryGib: 1, cpus: 1 } },
    run: times(3, '-m 1g --cpus 1'),
    on: 'a b -',
  },
  {
    it: 'prefers the node that has the image between equals, not over load',
    nodes: { a: {}, b: { images: ['redis:7'] } },
    run: times(3, 'redis:7'),
    on: 'b a b',
  },
  {
    it: 'obeys the strategy of a container while others follow the manager',
    nodes: { a: {}, b: {}, c: {} },
    run: ['-e strategy:binpack', '', '-e strategy:binpack', '-l com.docker.swarm.strategies=binpack', ''],
    on: 'a b a a c',
  },
]);
