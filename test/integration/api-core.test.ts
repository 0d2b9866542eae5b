import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { after, afterEach, before, describe, it } from 'mocha';
import { ApiServer } from '../../src/api/server.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { openRawConnection, RawConnection } from '../support/raw-connection.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { tlsIdentity } from '../support/tls-identity.ts';
import { until } from '../support/until.ts';

describe('the API server', () => {
  let shoal: SimulatedCluster;

  before(async () => {
    shoal = await startSimulatedCluster();
  });

  after(() => shoal.stop());

  it('carries the headers of dockerd on every answer of a route', async () => {
    for (const path of ['/_ping', '/containers/json', '/containers/nope/json', '/v1.99/info']) {
      const { headers } = await shoal.api.get(path);

      assert.equal(headers['api-version'], '1.51', path);
      assert.equal(headers['ostype'], 'linux', path);
      // As on an engine, not in the refusal of a version.
      assert.equal(headers['docker-experimental'], path.startsWith('/v1.99/') ? undefined : 'false', path);
      assert.match(headers['server'] ?? '', /^Docker\/.+ \(linux\)$/, path);
      assert.equal(headers['x-powered-by'], undefined, path);
      assert.equal(headers['etag'], undefined, path);
    }
  });

  it('answers HEAD and GET /_ping', async () => {
    await shoal.api.head('/_ping').expect(200).expect('Content-Length', '0');
    await shoal.api.get('/_ping').expect(200, 'OK');
    await shoal.api.get('/v1.24/_ping').expect(200, 'OK');
  });

  const missing = [
    ['get', '/nope'],
    ['get', '/'],
    ['get', '/containers/json/'],
    ['post', '/containers/json'],
    ['put', '/info'],
    ['patch', '/info'],
    ['get', '/v1.41/nope'],
    ['get', '/v9.9/nope'],
    ['get', '/debug/pprof'],
  ] as const;
  for (const [method, path] of missing) {
    it(`says "page not found" to ${method} ${path}`, async () => {
      const answer = await shoal.api[method](path).expect(404, { message: 'page not found' });

      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(answer.headers['api-version'], undefined);
    });
  }

  it('redirects a path with empty segments', async () => {
    await shoal.api.get('//v1.41//info?a=b').redirects(0).expect(301).expect('Location', '/v1.41/info?a=b');
  });

  it('lists networks at a path with a slash behind it', async () => {
    await shoal.api.get('/networks/').expect(200);
  });

  it('answers OPTIONS with an empty 200', async () => {
    await shoal.api.options('/containers/json').expect(200, '');
  });

  it('answers an expectation that it cannot meet with JSON', async () => {
    const client = await shoal.openRaw();
    client.write('POST /containers/create HTTP/1.1\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\n{}');

    const answer = await client.untilText('}\n');
    assert.match(
      answer,
      /^HTTP\/1\.1 417 [\s\S]*Content-Type: application\/json\r\n[\s\S]*\{"message":"only 100-continue/,
    );
    client.destroy();
  });

  it('lets the interceptor answer first', async () => {
    const server = new ApiServer({
      cluster: shoal.cluster,
      settings: testSettings,
      logger: createSilentLogger(),
      intercept: (req, res) => {
        if (req.url !== '/own') return false;
        res.end('own answer');
        return true;
      },
    });
    const bound = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const client = await openRawConnection(bound.kind === 'tcp' ? bound.port : 0);
    client.write('GET /own HTTP/1.1\r\n\r\n');
    await client.untilText('own answer');
    client.write('GET /_ping HTTP/1.1\r\n\r\n');
    await client.untilText('\r\n\r\nOK');
    client.destroy();
    await server.stop();
  });
});

describe('listening with TLS', () => {
  it('serves the API, and raw streams whose input ends before their output', async () => {
    const shoal = await startSimulatedCluster({ engines: 1, server: { tls: tlsIdentity } });
    const id = await runOverTls(shoal.port);

    const client = openTls(shoal.port);
    client.write(`POST /containers/${id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n`);
    await client.untilText('200 OK');
    client.write('typed');
    client.end();

    assert.match(await client.untilText('typed'), /^HTTP\/1\.1 200 OK/);
    await client.untilEnd();
    await shoal.stop();
  });
});

describe('listening on a unix socket', () => {
  let shoal: SimulatedCluster;
  let directory: string;
  let server: ApiServer;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 1 });
    directory = await mkdtemp(join(tmpdir(), 'api-core-'));
  });

  after(async () => {
    await shoal.stop();
    await rm(directory, { recursive: true });
  });

  afterEach(() => server.stop());

  function open(): ApiServer {
    server = new ApiServer({ cluster: shoal.cluster, settings: testSettings, logger: createSilentLogger() });
    return server;
  }

  it('serves the API to owner and group', async () => {
    const path = join(directory, 'a.sock');
    await open().listen({ kind: 'unix', path });
    const client = await openRawConnection(path);
    client.write('GET /_ping HTTP/1.1\r\n\r\n');

    await client.untilText('\r\n\r\nOK');
    assert.equal((await stat(path)).mode & 0o777, 0o660);
    client.destroy();
  });

  it('takes the place of a socket that nobody listens on', async () => {
    const path = join(directory, 'b.sock');
    await leaveStaleSocket(path);

    await open().listen({ kind: 'unix', path });

    const client = await openRawConnection(path);
    client.destroy();
  });

  it('refuses a socket that somebody listens on', async () => {
    const path = join(directory, 'c.sock');
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => other.listen(path, resolve));

    await assert.rejects(open().listen({ kind: 'unix', path }), /in use/);

    await new Promise((resolve) => other.close(resolve));
  });

  it('refuses to replace a file that is not a socket', async () => {
    const path = join(directory, 'd.sock');
    await writeFile(path, 'precious');

    await assert.rejects(open().listen({ kind: 'unix', path }), /not a socket/);

    assert.equal((await stat(path)).size, 8);
  });
});

describe('stopping the API server', () => {
  it('ends idle connections and streams, and accepts no more', async () => {
    const shoal = await startSimulatedCluster({ engines: 1 });
    const id = await shoal.run({ name: 'web' });
    const idle = await shoal.openRaw();
    const stream = await shoal.openRaw();
    const attached = await shoal.openRaw();
    stream.write(`GET /containers/${id}/logs?follow=1&stdout=1 HTTP/1.1\r\n\r\n`);
    await stream.untilText('\r\n\r\n');
    attached.write(
      `POST /containers/${id}/attach?stream=1&stdout=1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
    );
    await attached.untilText('101');
    const started = performance.now();

    await shoal.server.stop();

    assert.ok(performance.now() - started < 10_000);
    await Promise.all([idle.untilEnd(), stream.untilEnd(), attached.untilEnd()]);
    for (const client of [idle, stream, attached]) client.destroy();
    await assert.rejects(shoal.openRaw());
    await shoal.stop();
  });
});

describe('the start of the manager', () => {
  it('holds calls until the engines are known, and answers those that need none at once', async () => {
    const shoal = await startSimulatedCluster({ engines: 1, announced: false });
    shoal.engine().createDirectly({ name: 'web' });

    await shoal.api.get('/_ping').expect(200);
    await shoal.api.get('/version').expect(200);
    await shoal.api.get('/info').expect(200);
    let isAnswered = false;
    const inspect = shoal.api.get('/containers/web/json').then((answer) => {
      isAnswered = true;
      return answer;
    });
    await until('the call has arrived', async () => (await shoal.api.get('/_ping')).status === 200);
    assert.equal(isAnswered, false);
    shoal.announce(shoal.engines);

    assert.equal((await inspect).status, 200);
    await shoal.stop();
  });

  it('gives the wait up when an engine does not answer', async () => {
    const shoal = await startSimulatedCluster({ engines: 1, announced: false, server: { warmUpMs: 50 } });

    await shoal.api.get('/containers/web/json').expect(404);
    await shoal.stop();
  });
});

const testSettings = {
  version: '0.0.0-test',
  gitCommit: '',
  buildTime: '',
  hostName: 'shoal',
  strategy: 'spread',
  filters: [],
  prefixesNamesWithNode: false,
  role: () => ({ name: 'primary' }),
  warnings: () => [],
};

function openTls(port: number): RawConnection {
  const halfOpen = { allowHalfOpen: true };
  return new RawConnection(connectTls({ host: '127.0.0.1', port, ca: tlsIdentity.cert, ...halfOpen }));
}

/** Creates and starts a terminal that reads until its input ends. */
async function runOverTls(port: number): Promise<string> {
  const client = openTls(port);
  const body = JSON.stringify({ Image: 'busybox', Tty: true, OpenStdin: true, StdinOnce: true });
  client.write(
    `POST /containers/create?name=tls HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const id = /"Id":"(\w+)"/.exec(await client.untilText(/"Id":"\w+"/))?.[1] ?? '';
  client.write(`POST /containers/${id}/start HTTP/1.1\r\nContent-Length: 0\r\n\r\n`);
  await client.untilText('HTTP/1.1 204');
  client.destroy();
  return id;
}

/** A socket file whose owner has died. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', script]);
  await new Promise((resolve) => child.once('exit', resolve));
}
