import { specifyFilter } from '../specification.ts';

specifyFilter('health', [
  {
    it: 'leaves out a node that does not answer',
    nodes: { a: { refusal: 'unhealthy: connection refused' }, b: {} },
    run: '',
    on: 'b',
    because: { a: 'unhealthy: connection refused' },
  },
  {
    it: 'leaves out a node that takes no more, for whatever reason',
    nodes: { a: { refusal: 'its disk is at least 95% full' }, b: { refusal: 'pending' } },
    run: '',
    on: '',
    because: { a: 'its disk is at least 95% full', b: 'pending' },
  },
]);
