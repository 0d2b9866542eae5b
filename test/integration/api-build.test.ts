import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { progressOf } from '../support/progress.ts';
import type { ProgressLine } from '../support/progress.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { writeTar } from '../support/simulated-engine/tar.ts';
import { until } from '../support/until.ts';

const context = writeTar({ Dockerfile: Buffer.from('FROM scratch\n') });

describe('building on a cluster', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: [{}, { labels: { storage: 'ssd' } }, {}] });
  });

  after(() => shoal.stop());

  afterEach(() => {
    for (const engine of shoal.engines) engine.faults.clear();
  });

  const build = (query: string, body = context): Promise<ProgressLine[]> =>
    progressOf(shoal.api.post(`/build?${query}`).set('Content-Type', 'application/x-tar').send(body));
  const buildersOf = (path: string): SimulatedEngine[] =>
    shoal.engines.filter((engine) => engine.requests.some((request) => request.path === path));
  const nodesWith = (tag: string): string[] =>
    shoal.engines
      .filter(({ images }) => [...images.values()].some(({ repoTags }) => repoTags.includes(tag)))
      .map(({ name }) => name);

  const ownersOf = (session: string): string[] =>
    shoal.engines
      .filter(({ requests }) => requests.some(({ headers }) => headers['x-docker-expose-session-uuid'] === session))
      .map(({ name }) => name);

  it('builds on one node, and the image can be used as soon as the answer has ended', async () => {
    const lines = await build('t=app:1');

    assert.ok(lines.some(({ stream }) => stream === 'Successfully tagged app:1\n'));
    assert.equal(nodesWith('app:1').length, 1);
    const id = await shoal.run({ body: { Image: 'app:1' } });
    assert.deepEqual([shoal.engineOf(id).name], nodesWith('app:1'));
  });

  it('stays on one node for one client', async () => {
    await build('t=again:1');
    await build('t=again:2');

    assert.deepEqual(nodesWith('again:1'), nodesWith('again:2'));
  });

  it('goes where an expression among the build arguments wants it, and the engine sees only the rest', async () => {
    const args = { 'constraint:storage': '=ssd', VERSION: '7', FROM_ENVIRONMENT: null };
    await build(`t=placed:1&buildargs=${encodeURIComponent(JSON.stringify(args))}`);

    assert.deepEqual(nodesWith('placed:1'), ['node-2']);
    const request = shoal.engine('node-2').requests.findLast(({ path }) => path === '/build');
    assert.deepEqual(JSON.parse(request?.query.get('buildargs') ?? ''), { VERSION: '7', FROM_ENVIRONMENT: null });
  });

  it('names the nodes when no node fits', async () => {
    const args = encodeURIComponent(JSON.stringify({ 'constraint:storage': '=tape' }));
    const answer = await shoal.api
      .post(`/build?buildargs=${args}`)
      .set('Content-Type', 'application/x-tar')
      .send(context);

    assert.equal(answer.status, 409);
    assert.match((answer.body as { message: string }).message, /node-1[\s\S]*node-2/);
  });

  for (const rule of ['dryrun:true', 'wait:5m']) {
    it(`is refused with ${rule}, which says nothing to a build`, async () => {
      const args = encodeURIComponent(JSON.stringify({ [rule]: null }));
      const answer = await shoal.api.post(`/build?buildargs=${args}`).set('Content-Type', 'application/x-tar').send('');

      assert.equal(answer.status, 400);
      assert.match((answer.body as { message: string }).message, /dryrun and wait are for containers/);
    });
  }

  it('takes more than 20 KB of build arguments', async () => {
    const value = 'x'.repeat(30_000);
    await build(`t=large:1&buildargs=${encodeURIComponent(JSON.stringify({ A: value }))}`);

    assert.equal(nodesWith('large:1').length, 1);
  });

  it('streams the failure of a build', async () => {
    const lines = await build('t=failed:1', writeTar({ Dockerfile: Buffer.from('FROM busybox\nRUN false\n') }));

    assert.match(lines.at(-1)?.errorDetail?.message ?? '', /non-zero code: 1/);
  });

  it('answers while the context is still being sent', async () => {
    const client = await shoal.openRaw();
    client.write(
      'POST /build?t=duplex:1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    client.write(`200\r\n${context.toString('latin1', 0, 512)}\r\n`);
    await client.untilText('Step 1/1');
    const rest = context.subarray(512);
    client.write(Buffer.concat([Buffer.from(`${rest.length.toString(16)}\r\n`), rest, Buffer.from('\r\n0\r\n\r\n')]));
    await client.untilText('Successfully tagged duplex:1');
    client.destroy();
  });

  it('ends with an error object when the engine is lost in the middle', async () => {
    const client = await shoal.openRaw();
    client.write(
      'POST /build?t=lost:1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    await client.untilText('Step 1/1');
    const builder = buildersOf('/build').find(({ requests }) =>
      requests.some(({ query }) => query.get('t') === 'lost:1'),
    );
    await builder?.faults.refuse();

    await client.untilText('"errorDetail"');
    client.destroy();
    await builder?.faults.accept();
    await shoal.untilHealthy();
  });

  describe('with a session', () => {
    const upgrade = (path: string, headers = ''): string =>
      `POST ${path} HTTP/1.1\r\nHost: \r\nConnection: Upgrade\r\nUpgrade: h2c\r\n${headers}\r\n`;

    it('keeps session, control and build on one engine, header for header and byte for byte', async () => {
      const control = await shoal.openRaw();
      control.write(upgrade('/grpc'));
      await control.untilText('101 Switching Protocols');
      const methods = ['/a/One', '/b/Two'].map((method) => `X-Docker-Expose-Session-Grpc-Method: ${method}\r\n`);
      const session = await shoal.openRaw();
      session.write(upgrade('/session', `X-Docker-Expose-Session-Uuid: s1\r\n${methods.join('')}`));
      await session.untilText(/101 Switching Protocols[\s\S]*\r\n\r\n/);
      session.write('PRI *');
      await session.untilText('PRI *');

      const [engine, ...others] = buildersOf('/session');
      assert.deepEqual(others, []);
      assert.deepEqual(buildersOf('/grpc'), [engine]);
      const received = engine?.requests.findLast(({ path }) => path === '/session')?.rawHeaders ?? [];
      assert.equal(received.filter((header) => header === 'X-Docker-Expose-Session-Grpc-Method').length, 2);

      await build('version=2&session=s1&buildid=b1&remote=client-session&t=session:1');
      assert.deepEqual(nodesWith('session:1'), [engine?.name]);
      control.destroy();
      session.destroy();
      await until('the engine loses both connections', () => session.isClosed && control.isClosed);
    });

    it('refuses a session without an upgrade as an engine does', async () => {
      await shoal.api.post('/session').expect(400);
      await shoal.api.post('/grpc').expect(500);
    });

    for (const first of ['session', 'build'] as const) {
      it(`sends session and build where an expression wants the build, the ${first} coming first`, async () => {
        const id = `placed-${first}`;
        const args = encodeURIComponent(JSON.stringify({ 'constraint:storage': '=ssd' }));
        const query = `version=2&session=${id}&buildid=${id}&remote=client-session&t=${id}:1&buildargs=${args}`;
        const session = await shoal.openRaw();
        const open = upgrade('/session', `X-Docker-Expose-Session-Uuid: ${id}\r\n`);
        if (first === 'session') session.write(open);
        const building = build(query);
        if (first === 'build') session.write(open);
        await session.untilText('101');
        await building;

        assert.deepEqual(nodesWith(`${id}:1`), ['node-2']);
        assert.deepEqual(ownersOf(id), ['node-2']);
        session.destroy();
      });

      it(`sends the context of a build from standard input after it, the ${first} coming first`, async () => {
        const id = `piped-${first}`;
        const args = encodeURIComponent(JSON.stringify({ 'constraint:storage': '=ssd' }));
        const building = (): Promise<unknown> =>
          build(`version=2&session=${id}&buildid=${id}&remote=upload-request&t=${id}:1&buildargs=${args}`);
        const uploading = (): Promise<unknown> => build(`version=2&buildid=upload-request%3A${id}`);
        await Promise.all(first === 'build' ? [building(), uploading()] : [uploading(), building()]);

        const asked = shoal.engines.filter(({ requests }) =>
          requests.some(({ query }) => query.get('buildid') === `upload-request:${id}`),
        );
        assert.deepEqual(
          asked.map(({ name }) => name),
          ['node-2'],
        );
      });
    }

    it('does not hold a session of a client that controls the builder itself', async () => {
      const control = await shoal.openRaw();
      control.write(upgrade('/grpc'));
      await control.untilText('101');
      const session = await shoal.openRaw();
      const sent = performance.now();
      session.write(upgrade('/session', 'X-Docker-Expose-Session-Uuid: controlled\r\n'));
      await session.untilText('101');
      assert.ok(performance.now() - sent < 400);
      session.destroy();
      control.destroy();
    });
  });

  describe('cancelling', () => {
    it('reaches the engine of the build, and an unknown build is no error', async () => {
      await shoal.api.post('/build/cancel?id=unknown').expect(200);

      assert.equal(buildersOf('/build/cancel').length, 3);
    });

    it('wants an id', async () => {
      await shoal.api.post('/build/cancel').expect(400);
    });
  });
});
