import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { progressOf } from '../support/progress.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { writeTar } from '../support/simulated-engine/tar.ts';
import { until } from '../support/until.ts';

const messageOf = (body: unknown): string => (body as { message: string }).message;
const tagsOf = (engine: SimulatedEngine): string[] => [...engine.images.values()].flatMap(({ repoTags }) => repoTags);
const asked = (engine: SimulatedEngine, path: string): number =>
  engine.requests.filter((request) => request.path === path && request.method === 'POST').length;

describe('images of a cluster', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
  });

  after(() => shoal.stop());

  afterEach(() => {
    for (const engine of shoal.engines) engine.faults.clear();
  });

  const pull = (name: string, tag = '1') =>
    shoal.api.post(`/images/create?fromImage=${encodeURIComponent(name)}&tag=${tag}`);
  const has = (name: string): boolean[] => shoal.engines.map((engine) => tagsOf(engine).includes(name));

  describe('pulling', () => {
    it('brings the image to every node and shows it once the answer has ended', async () => {
      await progressOf(pull('alpine').expect('Content-Type', 'application/json'));

      assert.deepEqual(has('alpine:1'), [true, true, true]);
      await shoal.api.get('/images/alpine:1/json').expect(200);
    });

    it("shows one node's layers as they are, one line for each other node, and one pair of last words", async () => {
      const lines = await progressOf(pull('layers'));

      assert.equal(lines.filter(({ id }) => id === '1').length, 1);
      const others = lines.filter(({ id }) => id?.startsWith('node-')).map(({ id }) => id);
      assert.equal(new Set(others).size, 2);
      assert.equal(lines.filter(({ status }) => status?.startsWith('Digest: ')).length, 1);
      assert.ok(lines.at(-1)?.status?.startsWith('Status: '));
    });

    it('answers with the real status when no node can pull', async () => {
      const answer = await pull('missing/x').expect(404);

      assert.match(messageOf(answer.body), /^pull access denied for missing\/x/);
    });

    it('copies the image to a node that cannot pull it', async () => {
      shoal.engine('node-2').faults.fail(/images\/create/, { status: 500, message: 'no route to the registry' });
      const lines = await progressOf(pull('partly'));

      assert.deepEqual(has('partly:1'), [true, true, true]);
      assert.ok(lines.some(({ id, status }) => id === 'node-2' && status === 'Copied from another node'));
      assert.ok(lines.every(({ error }) => error === undefined));
    });

    it('fails when one node of three can neither pull nor be given the image, and names it', async () => {
      shoal.engine('node-2').faults.fail(/images\/(create|load)/, { status: 500, message: 'no space left' });
      const lines = await progressOf(pull('scarce'));

      assert.deepEqual(has('scarce:1'), [true, false, true]);
      assert.ok(lines.some(({ status }) => status === 'node-2: no space left'));
      assert.equal(lines.at(-1)?.error, 'not done on every node: node-2: no space left');
    });

    it('ends with an error object when every node fails in mid-stream', async () => {
      const lines = await progressOf(pull('broken/x'));

      assert.equal(lines.at(-1)?.errorDetail?.message, 'unexpected EOF');
    });

    it('passes the credentials to every node', async () => {
      await progressOf(pull('private').set('X-Registry-Auth', 'e30='));

      for (const engine of shoal.engines) {
        const request = engine.requests.findLast(({ path }) => path === '/images/create');
        assert.equal(request?.headers['x-registry-auth'], 'e30=');
      }
    });

    it('ends the pulls of all nodes when the client leaves', async () => {
      const before = shoal.engines.map(({ connections }) => connections);
      const client = await shoal.openRaw();
      client.write('POST /images/create?fromImage=slow/60000/x&tag=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
      await client.untilText('Pulling');
      client.destroy();

      await until('the engines see the client leave', () =>
        shoal.engines.every((engine, index) => engine.connections <= (before[index] ?? 0)),
      );
      assert.deepEqual(has('slow/60000/x:1'), [false, false, false]);
    });

    it('does not wait for a node that falls silent in the middle', async () => {
      const client = await shoal.openRaw();
      client.write('POST /images/create?fromImage=slow/300/y&tag=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
      await client.untilText('Pulling');
      shoal.engine('node-3').faults.freeze();
      await client.untilText('\r\n0\r\n\r\n');
      client.destroy();
      shoal.engine('node-3').faults.thaw();

      assert.match(client.text, /"status":"node-3: /);
      assert.match(client.text, /Status: Downloaded/);
      await shoal.untilHealthy();
    });

    it('refuses a pull without a name', async () => {
      await shoal.api.post('/images/create').expect(400);
    });
  });

  describe('importing and loading', () => {
    it('imports on one node and copies the image with its id to the others', async () => {
      await shoal.api
        .post('/images/create?fromSrc=-&repo=imported&tag=2')
        .set('Content-Type', 'application/x-tar')
        .send(Buffer.alloc(3000, 7))
        .expect(200);

      assert.deepEqual(has('imported:2'), [true, true, true]);
      const ids = shoal.engines.map(
        (engine) => [...engine.images.values()].find(({ repoTags }) => repoTags.includes('imported:2'))?.id,
      );
      assert.equal(new Set(ids).size, 1);
      assert.equal(
        shoal.engines.filter((engine) => engine.requests.some(({ query }) => query.get('fromSrc') === '-')).length,
        1,
      );
    });

    it('loads an archive on every node and reports each image once', async () => {
      const lines = await load(archiveOf('loaded-a:1', 'loaded-b:1'));

      assert.deepEqual(
        lines.map(({ stream }) => stream),
        ['Loaded image: loaded-a:1\n', 'Loaded image: loaded-b:1\n'],
      );
      assert.deepEqual(has('loaded-b:1'), [true, true, true]);
      await shoal.api.get('/images/loaded-b:1/json').expect(200);
    });

    it('loads on the other nodes when one refuses without reading', async () => {
      shoal.engine('node-1').faults.fail(/images\/load/, { status: 500, message: 'disk full' });
      const archive = Buffer.concat([archiveOf('loaded-c:1'), Buffer.alloc(4 * 1024 * 1024)]);
      const lines = await load(archive);

      assert.deepEqual(has('loaded-c:1'), [false, true, true]);
      assert.ok(lines.some(({ status }) => status === 'node-1: disk full'));
      assert.equal(lines.at(-1)?.error, 'not done on every node: node-1: disk full');
    });

    it('loads on the other nodes when one is lost in the middle', async () => {
      shoal.engine('node-3').faults.cut(/images\/load/);
      await load(archiveOf('loaded-d:1'));

      assert.deepEqual(has('loaded-d:1'), [true, true, false]);
    });

    it('loads on the other nodes when one stops to read', async () => {
      shoal.engine('node-2').faults.freeze();
      const archive = Buffer.concat([archiveOf('loaded-e:1'), Buffer.alloc(8 * 1024 * 1024)]);
      const lines = await load(archive);
      shoal.engine('node-2').faults.thaw();

      assert.ok(lines.some(({ stream }) => stream === 'Loaded image: loaded-e:1\n'));
      assert.ok(lines.some(({ status }) => status?.startsWith('node-2: ')));
      await shoal.untilHealthy();
    });

    it('ends the stream with the error when every node refuses, as dockerd does', async () => {
      for (const engine of shoal.engines) engine.faults.fail(/images\/load/, { status: 500, message: 'disk full' });
      const lines = await load(Buffer.alloc(2_000_000));

      assert.deepEqual(lines.at(-1), { errorDetail: { message: 'disk full' }, error: 'disk full' });
    });

    const load = (archive: Buffer) =>
      progressOf(shoal.api.post('/images/load').set('Content-Type', 'application/x-tar').send(archive));
  });

  describe('one image', () => {
    before(async () => {
      await progressOf(pull('web', '1'));
    });

    it('is inspected with the id that every later call shows', async () => {
      const ids = await Promise.all(
        [1, 2, 3].map(async () => ((await shoal.api.get('/images/web:1/json')).body as { Id: string }).Id),
      );

      assert.equal(new Set(ids).size, 1);
    });

    it('is found by its full name, escaped or not', async () => {
      await shoal.api.get('/images/docker.io/library/web:1/json').expect(200);
      await shoal.api.get('/images/docker.io%2Flibrary%2Fweb:1/json').expect(200);
    });

    it('answers 404 for an image that no node has', async () => {
      await shoal.api.get('/images/nope/json').expect(404, { message: 'No such image: nope:latest' });
    });

    it('has a history', async () => {
      const body: unknown = (await shoal.api.get('/images/web:1/history').expect(200)).body;

      assert.equal((body as unknown[]).length, 1);
    });

    it('is tagged on every node that has it', async () => {
      await shoal.api.post('/images/web:1/tag?repo=web&tag=stable').expect(201).expect('Content-Length', '0');

      assert.deepEqual(has('web:stable'), [true, true, true]);
      await shoal.api.get('/images/web:stable/json').expect(200);
    });

    it('is pushed by one node, with empty credentials where the client sends none', async () => {
      const counts = shoal.engines.map((engine) => asked(engine, '/images/web/push'));
      const lines = await progressOf(shoal.api.post('/images/web/push?tag=1'));

      assert.ok(lines.some(({ aux }) => aux !== undefined));
      const after = shoal.engines.map((engine) => asked(engine, '/images/web/push'));
      assert.equal(
        after.reduce((sum, count, index) => sum + count - (counts[index] ?? 0), 0),
        1,
      );
    });

    it('cannot be pushed when no node has the tag', async () => {
      await shoal.api.post('/images/web/push?tag=nope').expect(404);
    });

    it('is saved by a node that has all of the images asked for', async () => {
      await shoal.api
        .get('/images/get?names=web:1&names=busybox')
        .expect(200)
        .expect('Content-Type', 'application/x-tar');
    });

    it('is not saved together with an image of another node', async () => {
      shoal.engine('node-1').faults.fail(/images\/(create|load)/, { status: 500, message: 'x' });
      await progressOf(pull('only-23'));
      shoal.engine('node-1').faults.clear();
      for (const name of ['node-2', 'node-3'])
        shoal.engine(name).faults.fail(/images\/(create|load)/, { status: 500, message: 'x' });
      await progressOf(pull('only-1'));

      const answer = await shoal.api.get('/images/get?names=only-1:1&names=only-23:1').expect(404);
      assert.match(messageOf(answer.body), /^reference does not exist/);
    });
  });

  describe('deleting', () => {
    it('removes the image from every node and tells what went', async () => {
      await progressOf(pull('gone'));
      const body: unknown = (await shoal.api.delete('/images/gone:1').expect(200)).body;

      assert.equal((body as { Untagged?: string }[]).filter(({ Untagged }) => Untagged === 'gone:1').length, 1);
      assert.deepEqual(has('gone:1'), [false, false, false]);
      await shoal.api.get('/images/gone:1/json').expect(404);
    });

    it('answers 409 only when no node could remove it', async () => {
      await progressOf(pull('used'));
      const id = await shoal.run({ body: { Image: 'used:1' } });
      const { headers } = await shoal.api.delete('/images/used:1').expect(200);

      const user = shoal.engineOf(id);
      assert.deepEqual(
        has('used:1'),
        shoal.engines.map((engine) => engine === user),
      );
      assert.match(String(headers['warning']), new RegExp(`${user.name}: conflict: unable to remove`));
      await shoal.api.delete('/images/used:1').expect(409);
    });

    it('refuses to remove single platforms through engines that would remove the whole tag', async () => {
      await shoal.api.delete('/images/busybox?platforms=%7B%7D').expect(400);

      assert.deepEqual(has('busybox:latest'), [true, true, true]);
    });
  });

  describe('what a registry answers', () => {
    it('is asked through one node', async () => {
      const body: unknown = (await shoal.api.get('/images/search?term=web').expect(200)).body;

      assert.equal((body as { name: string }[])[0]?.name, 'web');
    });

    it('is asked through another node when the first cannot reach the registry', async () => {
      shoal.engine('node-1').faults.fail(/auth|distribution/, { status: 500, message: 'dial tcp: no route' });

      await shoal.api.post('/auth').send({ username: 'a', password: 'b' }).expect(200);
      await shoal.api.get('/distribution/team/web:1/json').expect(200);
    });
  });
});

describe('images without a healthy node', () => {
  it('answers 503', async () => {
    const shoal = await startSimulatedCluster({ engines: 0 });
    try {
      await shoal.api.post('/images/create?fromImage=a&tag=1').expect(503);
      await shoal.api.get('/images/search?term=a').expect(503);
    } finally {
      await shoal.stop();
    }
  });
});

describe('the image shape of older clients', () => {
  it('has the fields that docker-compose 1.x reads, also from an engine that left them out', async () => {
    const shoal = await startSimulatedCluster({ engines: [{ apiVersion: '1.51', minApiVersion: '1.44' }] });
    try {
      const body: unknown = (await shoal.api.get('/v1.24/images/busybox/json').expect(200)).body;

      assert.ok('ContainerConfig' in (body as object));
      assert.ok('VirtualSize' in (body as object));
    } finally {
      await shoal.stop();
    }
  });

  it('holds for docker-compose 1.x at the newest version, at which it asks', async () => {
    const shoal = await startSimulatedCluster({ engines: [{ apiVersion: '1.51', minApiVersion: '1.44' }] });
    const inspectAs = async (client: string): Promise<object> => {
      const path = '/v1.51/images/busybox/json';
      return (await shoal.api.get(path).set('User-Agent', client).expect(200)).body as object;
    };
    try {
      assert.ok('ContainerConfig' in (await inspectAs('docker-compose/1.29.2 docker-py/5.0.3')));
      assert.ok(!('ContainerConfig' in (await inspectAs('compose/v2.40.3'))));
    } finally {
      await shoal.stop();
    }
  });
});

function archiveOf(...references: string[]): Buffer {
  const manifest = references.map((reference) => ({
    Config: `${Buffer.from(reference).toString('hex').padEnd(64, '0')}.json`,
    RepoTags: [reference],
    Layers: [],
  }));
  return writeTar({ 'manifest.json': Buffer.from(JSON.stringify(manifest)) });
}
