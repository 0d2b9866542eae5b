import { specifyFilter } from '../specification.ts';

specifyFilter('volumes', [
  {
    it: 'goes to the node of an existing volume',
    nodes: { a: {}, b: { volumes: ['data'] } },
    run: '-v data:/data',
    on: 'b',
    because: { a: 'volume data is not on this node' },
  },
  {
    it: 'stays off other nodes even when the one with the volume is away',
    nodes: { a: {}, b: { volumes: ['data'], refusal: 'unhealthy' } },
    run: '-v data:/data',
    on: '',
    because: { a: 'volume data is not on this node', b: 'unhealthy' },
  },
  {
    it: 'needs a node with all of its volumes',
    nodes: { a: { volumes: ['data'] }, b: { volumes: ['data', 'logs'] } },
    run: '-v data:/data -v logs:/logs',
    on: 'b',
  },
  { it: 'lets a new volume be anywhere', nodes: { a: {}, b: {} }, run: '-v data:/data', on: 'a b' },
  {
    it: 'does not take a path for a volume',
    nodes: { a: {}, b: { volumes: ['data'] } },
    run: '-v /data:/data',
    on: 'a b',
  },
]);
