import { specifyFilter } from '../specification.ts';

specifyFilter('dependency', [
  {
    it: 'keeps a container beside the one whose volumes it uses',
    nodes: { a: {}, b: { runs: ['--name data'] } },
    run: '--volumes-from data:ro',
    on: 'b',
    because: { a: 'container data, which it depends on, is not on this node' },
  },
  {
    it: 'beside the one whose network it joins',
    nodes: { a: {}, b: { runs: ['--name web'] } },
    run: '--network container:web',
    on: 'b',
  },
  {
    it: 'beside the one whose memory it shares',
    nodes: { a: {}, b: { runs: ['--name web'] } },
    run: '--ipc container:web',
    on: 'b',
  },
  {
    it: 'beside the one whose processes it sees',
    nodes: { a: {}, b: { runs: ['--name web'] } },
    run: '--pid container:web',
    on: 'b',
  },
  {
    it: 'and beside all of them at once, or nowhere',
    nodes: { a: { runs: ['--name web'] }, b: { runs: ['--name data'] } },
    run: '--network container:web --volumes-from data',
    on: '',
    because: {
      a: 'container data, which it depends on, is not on this node',
      b: 'container web, which it depends on, is not on this node',
    },
  },
  {
    it: 'beside its links on the default bridge',
    nodes: { a: {}, b: { runs: ['--name db'] } },
    run: '--link db:database',
    on: 'b',
  },
  {
    it: 'lets links on a network of their own be anywhere',
    nodes: { a: { networks: ['app'] }, b: { networks: ['app'], runs: ['--name db'] } },
    run: '--network app --link db:database',
    on: 'a b',
  },
  {
    it: 'depends on stopped containers too',
    nodes: { a: {}, b: { stopped: ['--name data'] } },
    run: '--volumes-from data',
    on: 'b',
  },
  {
    it: 'understands node/name and /name',
    nodes: { a: { runs: ['--name data'] }, b: { runs: ['--name data', '--name web'] } },
    run: '--volumes-from b/data --network container:/web',
    on: 'b',
  },
]);
