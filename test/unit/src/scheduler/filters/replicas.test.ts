import { specifyFilter } from '../specification.ts';

const web = '-l com.docker.compose.project=app -l com.docker.compose.service=web';
const db = '-l com.docker.compose.project=app -l com.docker.compose.service=db';

specifyFilter('replicas', [
  {
    it: 'prefers a node without another copy of the service, whatever the load',
    nodes: { a: { runs: [web] }, b: { runs: [db, '', ''] } },
    run: web,
    on: 'b',
  },
  {
    it: 'prefers a zone without another copy before it looks at the nodes',
    nodes: {
      a: { labels: { zone: 'x' } },
      b: { labels: { zone: 'x' }, runs: [web] },
      c: { labels: { zone: 'y' }, runs: ['', ''] },
    },
    run: web,
    on: 'c',
  },
  {
    it: 'prefers a node without another copy where every zone has one',
    nodes: { a: { labels: { zone: 'x' }, runs: ['', ''] }, b: { labels: { zone: 'x' }, runs: [web] } },
    run: web,
    on: 'a',
  },
  {
    it: 'takes a node without the label for none of the zones',
    nodes: { a: { labels: { zone: 'x' } }, b: { labels: { zone: 'x' }, runs: [web] }, c: {} },
    run: web,
    on: 'c',
  },
  { it: 'gives way when every node has a copy', nodes: { a: { runs: [web] } }, run: web, on: 'a' },
  {
    it: 'does not look at one-off containers, made or being made',
    nodes: { a: { runs: [web] }, b: { runs: [`${web} -l com.docker.compose.oneoff=True`] } },
    run: `${web} -l com.docker.compose.oneoff=True`,
    on: 'a b',
  },
  {
    it: 'leaves a container to the strategy that it chose',
    nodes: { a: { runs: [web] }, b: {} },
    run: `${web} -e strategy:binpack`,
    on: 'a b',
  },
  {
    it: 'does not count the copy that is being replaced',
    nodes: { a: { runs: [`${web} --name app-web-1`] }, b: { runs: [web] } },
    run: `${web} -l com.docker.compose.replace=app-web-1`,
    on: 'a',
  },
]);
