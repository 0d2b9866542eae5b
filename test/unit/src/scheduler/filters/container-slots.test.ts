import { specifyFilter } from '../specification.ts';

specifyFilter('containerslots', [
  {
    it: 'caps what runs on a node or is being created there',
    nodes: {
      a: { labels: { containerslots: '2' }, runs: ['', ''] },
      b: { labels: { containerslots: '2' }, runs: [''] },
      c: { runs: ['', '', ''] },
    },
    run: '',
    on: 'b c',
    because: { a: 'all 2 container slots are taken' },
  },
  {
    it: 'does not count stopped containers',
    nodes: { a: { labels: { containerslots: '1' }, stopped: ['', ''] } },
    run: '',
    on: 'a',
  },
  {
    it: 'keeps everything off a node with none',
    nodes: { a: { labels: { containerslots: '0' } }, b: { labels: { containerslots: '-1' } } },
    run: '',
    on: '',
    because: { a: 'all 0 container slots are taken' },
  },
  {
    it: 'takes a label that is no whole number for no cap',
    nodes: { a: { labels: { containerslots: 'many' }, runs: [''] }, b: { labels: { containerslots: '' }, runs: [''] } },
    run: '',
    on: 'a b',
  },
  {
    it: 'gives the slot of the container that is being replaced to the new one',
    nodes: { a: { labels: { containerslots: '1' }, runs: ['--name old'] } },
    run: '-l com.docker.compose.replace=old',
    on: 'a',
  },
]);
