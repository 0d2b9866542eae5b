import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Created: number;
  readonly Status: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Ports: readonly { readonly IP?: string }[];
  readonly SizeRw?: number;
}

interface Image {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly Containers: number;
  readonly VirtualSize?: number;
}

interface Named {
  readonly Id: string;
  readonly Name: string;
}

const versions = ['1.41', '1.45', '1.51'];

describe('lists over engines of several versions', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: versions.map((apiVersion) => ({ apiVersion })) });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const engine of shoal.engines) {
      engine.faults.clear();
      for (const { id } of [...engine.containers.values()]) engine.removeDirectly(id);
    }
    await until('the cluster is empty', () => shoal.cluster.containers.newestFirst().flat().length === 0);
  });

  async function list<T>(path: string, filters?: object): Promise<readonly T[]> {
    const separator = path.includes('?') ? '&' : '?';
    const query = filters === undefined ? '' : `${separator}filters=${encodeURIComponent(JSON.stringify(filters))}`;
    return (await shoal.api.get(`${path}${query}`).expect(200)).body as readonly T[];
  }

  async function names(query: string, filters?: object): Promise<readonly string[]> {
    const rows = await list<Row>(`/containers/json${query}`, filters);
    return rows.map((row) => (row.Names[0] ?? '').replace('/c-', ''));
  }

  /** One on each node in turn, the first the oldest; "a" is called c-a. */
  async function runAll(...all: string[]): Promise<readonly string[]> {
    const ids: string[] = [];
    for (const [index, name] of all.entries()) {
      ids.push(shoal.engines[index % shoal.engines.length]?.createDirectly({ name: `c-${name}` }).id ?? '');
      // The engines' clocks are this process's: the next one is later than this one to the nanosecond at least.
      const startedMs = Date.now();
      await until('the clock ticks', () => Date.now() > startedMs);
    }
    await until('all are seen inspected', () => {
      const seen = shoal.cluster.containers.newestFirst().flat();
      return seen.length === all.length && seen.every(({ record }) => record.details !== undefined);
    });
    return ids;
  }

  describe('of containers', () => {
    it('merge the nodes, the newest first although all are of one second', async () => {
      await runAll('a', 'b', 'c', 'd', 'e');
      assert.deepEqual(await names(''), ['e', 'd', 'c', 'b', 'a']);
    });

    it('cut at before and since wherever these run, and limit last', async () => {
      await runAll('a', 'b', 'c', 'd', 'e');
      const cases: readonly (readonly [string, object | undefined, readonly string[]])[] = [
        ['', { before: ['c-d'] }, ['c', 'b', 'a']],
        ['', { since: ['c-b'] }, ['e', 'd', 'c']],
        ['', { before: ['c-e'], since: ['c-b'] }, ['d', 'c']],
        ['?limit=2', { before: ['c-e'] }, ['d', 'c']],
        ['?limit=1', undefined, ['e']],
        ['?limit=-1', undefined, ['e', 'd', 'c', 'b', 'a']],
        ['?before=c-b', undefined, ['e', 'd', 'c', 'b', 'a']],
        ['?since=c-d', undefined, ['e', 'd', 'c', 'b', 'a']],
        ['?limit=2', { name: ['c-a', '^c-c$', '/c-d'] }, ['d', 'c']],
      ];
      for (const [query, filters, expected] of cases) {
        assert.deepEqual(await names(query, filters), expected, `${query} ${JSON.stringify(filters)}`);
      }
    });

    it('show stopped ones where all, a limit or a status asks for them', async () => {
      await runAll('a', 'b');
      shoal.engine('node-1').exit('c-a', 3);
      await until('it has ended', async () => (await names('')).length === 1);
      assert.deepEqual(await names('?all=1'), ['b', 'a']);
      assert.deepEqual(await names('?limit=5'), ['b', 'a']);
      assert.deepEqual(await names('', { status: ['exited'] }), ['a']);
      assert.deepEqual(await names('?all=1', { exited: ['3'] }), ['a']);
      assert.deepEqual(await names('', { exited: ['3'] }), []);
    });

    it('take filters in both forms, and by node and image', async () => {
      await runAll('a', 'b', 'c');
      for (const values of [['node-2'], { 'node-2': true }]) assert.deepEqual(await names('', { node: values }), ['b']);
      assert.deepEqual(await names('', { ancestor: ['busybox'] }), ['c', 'b', 'a']);
      assert.deepEqual(await names('', { ancestor: ['docker.io/library/busybox:latest'] }), ['c', 'b', 'a']);
      assert.deepEqual(await names('', { ancestor: ['nope'] }), []);
    });

    for (const [query, status, message] of [
      ['filters=%7B%22nope%22%3A%5B%22x%22%5D%7D', 400, /^invalid filter 'nope'$/],
      ['filters=%7B', 400, /./],
      ['filters=%5B%5D', 400, /./],
      ['filters=%7B%22name%22%3A%5B1%5D%7D', 400, /./],
      ['limit=many', 400, /many/],
    ] as const) {
      it(`refuse ${query} with ${status}`, async () => {
        const answer = await shoal.api.get(`/containers/json?${query}`).expect(status);
        assert.match((answer.body as { readonly message: string }).message, message);
      });
    }

    it('take an empty filter for none', async () => {
      await runAll('a');
      assert.deepEqual(await names('?filters='), ['a']);
    });

    it('tell sizes only where asked, and do without those of a node that fails', async () => {
      await runAll('a', 'b');
      assert.equal((await list<Row>('/containers/json'))[0]?.SizeRw, undefined);
      shoal.engine('node-2').faults.fail(/containers\/json.*size=1/, { status: 500, message: 'no' });
      const rows = await list<Row>('/containers/json?size=1');
      const hasSize = rows.map((row) => [row.Names[0], row.SizeRw !== undefined]);
      assert.deepEqual(hasSize, [
        ['/c-b', false],
        ['/c-a', true],
      ]);
    });

    it('show reachable addresses, names with and without node, and the node', async () => {
      const body = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } };
      shoal.engine('node-1').createDirectly({ name: 'web', body });
      const [row] = await until('it is listed', async () => {
        const rows = await list<Row>('/containers/json');
        return rows.length > 0 && rows;
      });
      assert.deepEqual(row?.Names, ['/web', '/node-1/web']);
      assert.equal(row.Labels['com.docker.swarm.node'], 'node-1');
      assert.deepEqual(
        row.Ports.map(({ IP }) => IP),
        ['127.0.0.1'],
      );
    });

    it('keep the containers of a node that is down, and say so', async () => {
      await runAll('a', 'b', 'c');
      await shoal.engine('node-2').faults.refuse();
      await until('the node is down', () => shoal.cluster.members.healthyEngines.length === 2);
      const rows = await list<Row>('/containers/json');
      assert.deepEqual(
        rows.map(({ Names, Status }) => [Names[0], Status === 'Host Down']),
        [
          ['/c-c', false],
          ['/c-b', true],
          ['/c-a', false],
        ],
      );
      await shoal.engine('node-2').faults.accept();
      await shoal.untilHealthy();
      await until('it is up again', async () => {
        return (await list<Row>('/containers/json')).every(({ Status }) => Status !== 'Host Down');
      });
    });

    it('are sent whole when they are long', async () => {
      const label = 'x'.repeat(2_000);
      for (let count = 0; count < 400; count += 1) shoal.engine('node-1').createDirectly({ labels: { label } });
      await until('all are seen', () => shoal.cluster.containers.newestFirst().flat().length === 400);
      const rows = await list<Row>('/containers/json');
      assert.equal(new Set(rows.map(({ Id }) => Id)).size, 400);
    });
  });

  describe('of images', () => {
    it('have one row for an image of all nodes', async () => {
      const images = await list<Image>('/images/json');
      assert.deepEqual(
        images.map(({ RepoTags }) => RepoTags),
        [['busybox:latest']],
      );
    });

    it('count containers for clients of 1.51 and have no virtual size for those of 1.44', async () => {
      await runAll('a', 'b');
      for (const [version, count, hasVirtualSize] of [
        ['1.41', -1, true],
        ['1.44', -1, false],
        ['1.51', 2, false],
      ] as const) {
        const [image] = await list<Image>(`/v${version}/images/json`);
        assert.deepEqual([image?.Containers, image?.VirtualSize !== undefined], [count, hasVirtualSize], version);
      }
    });

    it('filter by node and reference, and refuse what no image has', async () => {
      await shoal.api.post('/images/busybox/tag?repo=alpine&tag=3').expect(201);
      const tags = async (filters: object): Promise<readonly string[]> =>
        (await list<Image>('/images/json', filters)).flatMap(({ RepoTags }) => RepoTags);
      assert.deepEqual(await tags({ reference: ['alp*'] }), ['alpine:3']);
      assert.deepEqual(await tags({ reference: ['alpine'], node: ['node-2'] }), ['alpine:3']);
      assert.deepEqual(await tags({ node: ['absent'] }), []);
      assert.deepEqual((await list<Image>('/v1.40/images/json?filter=alpine')).length, 1);
      await shoal.api.get(`/images/json?filters=${encodeURIComponent('{"before":["nope"]}')}`).expect(404);
      await shoal.api.get(`/images/json?filters=${encodeURIComponent('{"nope":["x"]}')}`).expect(400);
      await shoal.api.delete('/images/alpine:3').expect(200);
    });

    it('keep two images of one tag apart', async () => {
      for (const [node, source] of [
        ['node-1', 'one'],
        ['node-2', 'two'],
      ] as const) {
        const engine = `http://${shoal.engine(node).address}`;
        await (await fetch(`${engine}/images/create?fromImage=${source}&tag=1`, { method: 'POST' })).text();
        await fetch(`${engine}/images/${source}:1/tag?repo=app&tag=1`, { method: 'POST' });
      }
      const rows = await until('both are seen', async () => {
        const found = await list<Image>('/images/json', { reference: ['app'] });
        return found.length === 2 && found;
      });
      assert.equal(new Set(rows.map(({ Id }) => Id)).size, 2);
      for (const { RepoTags } of rows) assert.deepEqual(RepoTags, ['app:1']);
    });
  });

  describe('of networks', () => {
    it('have the predefined ones once', async () => {
      const networks = await list<Named>('/networks');
      assert.deepEqual(networks.map(({ Name }) => Name).sort(), ['bridge', 'host', 'none']);
      assert.deepEqual(await list<Named>('/networks/'), networks);
      const [bridge] = await list<Named>('/networks', { name: ['^bridge$'] });
      assert.ok(bridge && shoal.engine('node-1').networks.has(bridge.Id));
    });

    it('tell old clients of the containers of all nodes', async () => {
      const ids = await runAll('a', 'b');
      const containersAt = async (version: string): Promise<readonly string[]> => {
        const [bridge] = await list<Named & { readonly Containers?: object }>(`/v${version}/networks`, {
          name: ['bridge'],
        });
        return Object.keys(bridge?.Containers ?? {}).sort();
      };
      assert.deepEqual(await containersAt('1.27'), [...ids].sort());
      assert.deepEqual(await containersAt('1.28'), []);
    });

    it('filter by type, use, driver and label in both forms', async () => {
      const made = await shoal.api
        .post('/networks/create')
        .send({ Name: 'front', Labels: { tier: 'web' } })
        .expect(201);
      const { Id } = made.body as Named;
      const some = async (filters: object): Promise<readonly string[]> =>
        (await list<Named>('/networks', filters)).map(({ Name }) => Name).sort();
      assert.deepEqual(await some({ type: ['custom'] }), ['front']);
      assert.deepEqual(await some({ type: ['builtin'] }), ['bridge', 'host', 'none']);
      assert.deepEqual(await some({ dangling: ['true'] }), ['front']);
      assert.deepEqual(await some({ dangling: { false: true } }), ['bridge', 'host', 'none']);
      assert.deepEqual(await some({ label: { 'tier=web': true } }), ['front']);
      assert.deepEqual(await some({ id: [Id.slice(0, 12)] }), ['front']);
      assert.deepEqual(await some({ driver: ['null'] }), ['none']);
      assert.deepEqual(await some({ scope: ['swarm'] }), []);
      await shoal.api.get(`/networks?filters=${encodeURIComponent('{"type":["x"]}')}`).expect(400);
      await shoal.api.get(`/networks?filters=${encodeURIComponent('{"nope":["x"]}')}`).expect(400);
      await shoal.api.delete(`/networks/${Id}`).expect(204);
    });
  });

  describe('of volumes', () => {
    it('filter by use and name, and show a second volume of one name with its node', async () => {
      for (const node of ['node-1', 'node-2']) {
        const mounts = [{ Type: 'volume', Source: 'data', Target: '/data' }];
        shoal.engine(node).createDirectly({ body: { HostConfig: { Mounts: mounts } } });
      }
      await shoal.api.post('/volumes/create').send({ Name: 'idle' }).expect(201);
      const some = async (filters?: object): Promise<readonly string[]> => {
        const query = filters === undefined ? '' : `?filters=${encodeURIComponent(JSON.stringify(filters))}`;
        const answer = await shoal.api.get(`/volumes${query}`).expect(200);
        return (answer.body as { readonly Volumes: readonly Named[] }).Volumes.map(({ Name }) => Name).sort();
      };
      await until('all are seen', async () => {
        return (await some()).length === 3 && shoal.cluster.containers.newestFirst().flat().length === 2;
      });
      assert.deepEqual(await some(), ['data', 'idle', 'node-2/data']);
      assert.deepEqual(await some({ dangling: ['true'] }), ['idle']);
      assert.deepEqual(await some({ dangling: ['0'] }), ['data', 'node-2/data']);
      assert.deepEqual(await some({ name: ['dat'] }), ['data', 'node-2/data']);
      assert.deepEqual(await some({ node: ['node-2'], name: ['data'] }), ['node-2/data']);
      assert.deepEqual(await some({ driver: ['nfs'] }), []);
      await shoal.api.get(`/volumes?filters=${encodeURIComponent('{"nope":["x"]}')}`).expect(400);
    });
  });
});
