import { specifyFilter } from '../specification.ts';

const facts = {
  storagedriver: 'overlay2',
  kernelversion: '5.10.0-21-amd64',
  operatingsystem: 'Debian GNU/Linux 11',
  ostype: 'linux',
  arch: 'x86_64',
  version: '24.0.7',
};

specifyFilter('constraint', [
  {
    it: 'compares labels of the engine',
    nodes: { a: { labels: { storage: 'disk' } }, b: { labels: { storage: 'ssd' } }, c: {} },
    run: '-e constraint:storage==ssd',
    on: 'b',
    because: {
      a: 'constraint storage==ssd does not hold (storage is disk)',
      c: 'constraint storage==ssd does not hold (it has no storage)',
    },
  },
  {
    it: 'takes a missing label for empty text',
    nodes: { a: {}, b: { labels: { storage: 'ssd' } }, c: { labels: { storage: '' } } },
    run: '-e constraint:storage!=ssd',
    on: 'a c',
    because: { b: 'constraint storage!=ssd does not hold (storage is ssd)' },
  },
  {
    it: 'demands all that are written',
    nodes: {
      a: { labels: { storage: 'ssd' } },
      b: { labels: { storage: 'ssd', zone: 'x' } },
      c: { labels: { zone: 'x' } },
    },
    run: '-e constraint:storage==ssd -e constraint:zone==x',
    on: 'b',
  },
  {
    it: 'knows a node by name',
    nodes: { a: {}, b: {} },
    run: '-e constraint:node==b',
    on: 'b',
    because: { a: 'constraint node==b does not hold (node is a)' },
  },
  {
    it: 'knows a node by id',
    nodes: { a: { id: 'ID1' }, b: {} },
    run: '-e constraint:node==ID1',
    on: 'a',
  },
  {
    it: 'knows cloned nodes by the id they share',
    nodes: { a: { id: 'ID1' }, b: { id: 'ID1|10.0.0.2:2375' }, c: {} },
    run: '-e constraint:node==ID1',
    on: 'a b',
  },
  {
    it: 'leaves out nodes by a regular expression',
    nodes: { a: {}, b: {}, c: {} },
    run: '-e constraint:node!=/^(a|b)$/',
    on: 'c',
  },
  ...Object.entries({
    storagedriver: 'overlay2',
    kernelversion: '5.10*',
    operatingsystem: '*Debian*',
    ostype: 'linux',
    arch: 'x86_64',
    version: '/^24\\./',
  }).map(([key, value]) => ({
    it: `knows the fact ${key}`,
    nodes: { a: { facts }, b: { facts: { [key]: 'other' } } },
    run: `-e constraint:${key}==${value}`,
    on: 'a',
  })),
  {
    it: 'takes a glob for the whole value, with * alone special',
    nodes: {
      a: { labels: { region: 'us-east' } },
      b: { labels: { region: 'us' } },
      c: { labels: { region: 'eu+us' } },
    },
    run: '-e constraint:region==us*',
    on: 'a b',
  },
  {
    it: 'takes a dot of a glob for a dot',
    nodes: { a: { labels: { host: 'a.b' } }, b: { labels: { host: 'axb' } } },
    run: '-e constraint:host==*a.b',
    on: 'a',
  },
  {
    it: 'finds a regular expression anywhere in the value, in any case when told so',
    nodes: { a: { labels: { name: 'xaBcDeFx' } }, b: { labels: { name: 'abc' } } },
    run: '-e constraint:name==/(?i)ABCDEF/',
    on: 'a',
  },
  {
    it: 'compares numbers, not texts',
    nodes: { a: { labels: { disks: '2' } }, b: { labels: { disks: '12' } }, c: {}, d: { labels: { disks: 'some' } } },
    run: '-e constraint:disks<10',
    on: 'a',
    because: {
      b: 'constraint disks<10 does not hold (disks is 12)',
      c: 'constraint disks<10 does not hold (it has no disks)',
    },
  },
  {
    it: 'compares versions part by part',
    nodes: { a: { facts }, b: { facts: { kernelversion: '5.4.0' } }, c: { facts: { kernelversion: '6.1' } } },
    run: '-e constraint:kernelversion>=5.10 -e constraint:kernelversion<=6',
    on: 'a',
  },
  {
    it: 'knows keys of one letter',
    nodes: { a: { labels: { z: '1' } }, b: {} },
    run: '-e constraint:z==1',
    on: 'a',
  },
  {
    it: 'prefers where it cannot demand, and gives way where nothing else is left',
    nodes: { a: {}, b: { labels: { storage: 'ssd' } } },
    run: '-e constraint:storage==~ssd -e constraint:zone==~moon',
    on: 'b',
  },
  {
    it: 'is read from its label too',
    nodes: { a: {}, b: { labels: { storage: 'ssd' } } },
    run: '-l com.docker.swarm.constraints=["storage==ssd"]',
    on: 'b',
  },
]);
