import { specifyFilter } from '../specification.ts';

specifyFilter('taints', [
  {
    it: 'keeps strangers off a dedicated node',
    nodes: { a: { labels: { dedicated: 'ci' } }, b: {} },
    run: '',
    on: 'b',
    because: { a: 'it is kept for containers with constraint:dedicated==ci or toleration:dedicated==ci' },
  },
  {
    it: 'lets in who demands it, and keeps that one off all others',
    nodes: { a: { labels: { dedicated: 'ci' } }, b: {} },
    run: '-e constraint:dedicated==ci',
    on: 'a',
  },
  {
    it: 'lets in who tolerates it, who may go elsewhere as well',
    nodes: { a: { labels: { dedicated: 'ci' } }, b: {}, c: { labels: { dedicated: 'db' } } },
    run: '-e toleration:dedicated==ci',
    on: 'a b',
  },
  {
    it: 'takes a pattern for what is tolerated, and no other operator',
    nodes: { a: { labels: { dedicated: 'ci-1' } }, b: { labels: { dedicated: 'db' } } },
    run: '-e toleration:dedicated==ci* -e toleration:dedicated!=ci-1',
    on: 'a',
  },
]);
