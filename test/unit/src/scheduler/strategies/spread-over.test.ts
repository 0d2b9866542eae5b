import { specifyStrategy, times } from '../specification.ts';

const web = '-l com.docker.compose.project=app -l com.docker.compose.service=web';
const zone = (name: string): { readonly zone: string } => ({ zone: name });

specifyStrategy('spread:zone', [
  {
    it: 'puts nine copies on three zones three by three, whatever the number of nodes in each',
    nodes: {
      a: { labels: zone('x') },
      b: { labels: zone('x') },
      c: { labels: zone('x') },
      d: { labels: zone('y') },
      e: { labels: zone('z') },
      f: { labels: zone('z') },
    },
    run: times(9, ''),
    on: 'a d e b f d c e d',
  },
  {
    it: 'counts the copies of a Compose service before other containers',
    nodes: {
      a: { labels: zone('x'), runs: [web] },
      b: { labels: zone('x') },
      c: { labels: zone('y'), runs: times(3, '') },
    },
    run: [web],
    on: 'c',
  },
  {
    it: 'counts the nodes of a zone that take nothing too',
    nodes: {
      a: { labels: zone('x'), refusal: 'draining', runs: times(2, '') },
      b: { labels: zone('x') },
      c: { labels: zone('y'), runs: [''] },
    },
    run: [''],
    on: 'c',
  },
  {
    it: 'takes the nodes without the label for one zone',
    nodes: { a: { runs: [''] }, b: {}, c: { labels: zone('x') } },
    run: times(3, ''),
    on: 'c b c',
  },
  {
    it: 'goes by load within a zone',
    nodes: { a: { labels: zone('x'), memoryGib: 2 }, b: { labels: zone('x'), memoryGib: 4 } },
    run: times(2, '-m 1g'),
    on: 'b a',
  },
]);
