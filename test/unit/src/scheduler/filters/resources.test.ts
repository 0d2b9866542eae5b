import { specifyFilter } from '../specification.ts';

specifyFilter('resources', [
  {
    it: 'leaves out nodes without enough memory',
    nodes: { a: { memoryGib: 2, runs: ['-m 1g'] }, b: { memoryGib: 2 } },
    run: '-m 1.5g',
    on: 'b',
    because: { a: '1.5GiB of memory wanted, 1GiB free' },
  },
  {
    it: 'leaves out nodes without enough CPU',
    nodes: { a: { cpus: 2, runs: ['--cpus 1'] }, b: { cpus: 2 } },
    run: '--cpus 1.5',
    on: 'b',
    because: { a: '1.5 CPUs wanted, 1 free' },
  },
  {
    it: 'takes a quota for CPUs',
    nodes: { a: { cpus: 2, runs: ['--cpu-quota 150000'] }, b: { cpus: 2 } },
    run: '--cpu-quota 100000',
    on: 'b',
    because: { a: '1 CPUs wanted, 0.5 free' },
  },
  {
    it: 'counts the memory that is reserved rather than the limit',
    nodes: { a: { memoryGib: 2, runs: ['-m 2g --memory-reservation 1g'] } },
    run: '-m 8g --memory-reservation 1g',
    on: 'a',
  },
  {
    it: 'counts memory to the last byte',
    nodes: { a: { memoryGib: 1 } },
    run: '-m 1024m',
    on: 'a',
  },
  {
    it: 'does not count stopped containers',
    nodes: { a: { memoryGib: 1, stopped: ['-m 1g'] } },
    run: '-m 1g',
    on: 'a',
  },
  {
    it: 'lets a container that asks for nothing onto a full node',
    nodes: { a: { memoryGib: 1, cpus: 1, runs: ['-m 1g --cpus 1'] } },
    run: '',
    on: 'a',
  },
  {
    it: 'stretches a node by its own label, or holds some of it back; passes over what is no number',
    nodes: {
      a: { memoryGib: 1, labels: { 'overcommit.memory': '1' } },
      b: { memoryGib: 2, labels: { overcommit: '-0.5' } },
      c: { memoryGib: 1, labels: { 'overcommit.memory': 'lots' } },
      d: { memoryGib: 1, labels: { overcommit: '1', 'overcommit.cpu': '0' } },
    },
    run: '-m 1.5g',
    on: 'a d',
    because: { b: '1.5GiB of memory wanted, 1GiB free' },
  },
  {
    it: 'stretches CPUs by a label of their own',
    nodes: { a: { cpus: 2, labels: { 'overcommit.cpu': '0.5', overcommit: '0' } }, b: { cpus: 2 } },
    run: '--cpus 3',
    on: 'a',
  },
  {
    it: 'counts what the container that is being replaced holds as free',
    nodes: { a: { memoryGib: 1, cpus: 1, runs: ['--name old -m 1g --cpus 1'] } },
    run: '-l com.docker.compose.replace=old -m 1g --cpus 1',
    on: 'a',
  },
]);
