import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, it } from 'mocha';
import { ApiError } from '../../src/common/errors.ts';
import { hijack } from '../../src/proxy/hijack.ts';
import { answerRaw } from '../../src/proxy/raw-answer.ts';
import { rawStreamRequests } from '../../src/proxy/raw-stream-request.ts';
import type { Upstream } from '../../src/proxy/upstream.ts';
import {
  type FrontServer,
  RawConnection,
  type RawEngine,
  startFrontServer,
  startRawEngine,
} from '../support/raw-peers.ts';
import { until } from '../support/until.ts';

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const attach = `POST /attach?stream=1 HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Length: 0\r\n\r\n`;
const plainAttach = 'POST /attach?stream=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
const switching =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const rawOk = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n';

const cleanups: (() => Promise<void> | void)[] = [];

interface Stage {
  readonly engine: RawEngine;
  readonly front: FrontServer;
  readonly shutdown: AbortController;
  /** What was written to clients, write by write; the beginning of each. */
  readonly writes: string[];
  readonly results: { settled: number; error?: unknown };
  /** A client that has sent `request`, and the connection it made to the engine with the request's head received. */
  readonly start: (request: string) => Promise<{ client: RawConnection; remote: RawConnection }>;
}

async function setStage(onConnection?: (connection: RawConnection) => void): Promise<Stage> {
  const engine = await startRawEngine(onConnection);
  const shutdown = new AbortController();
  const results: { settled: number; error?: unknown } = { settled: 0 };
  const upstream: Upstream = { name: 'node-1', host: '127.0.0.1', port: engine.port, agent: http.globalAgent };
  const server = http.createServer(
    { IncomingMessage: rawStreamRequests((method, url) => method === 'POST' && url.startsWith('/attach')) },
    (_req, res) => {
      res.end('ours');
    },
  );
  const writes: string[] = [];
  server.on('upgrade', (req, socket, head) => {
    const write = socket.write.bind(socket);
    socket.write = (chunk: Buffer) => {
      writes.push(chunk.toString('latin1', 0, 1_000));
      return write(chunk);
    };
    hijack({ req, socket, head }, upstream, { path: `/v1.41${req.url ?? ''}`, signal: shutdown.signal })
      .catch((error: unknown) => {
        results.error = error;
        const statusCode = error instanceof ApiError ? error.status : 500;
        answerRaw(socket, { statusCode, rawHeaders: ['Content-Type', 'application/json'], body: '{"message":"no"}\n' });
      })
      .finally(() => results.settled++);
  });
  const front = await startFrontServer(server);
  cleanups.push(
    () => front.close(),
    () => engine.close(),
  );
  return {
    engine,
    front,
    shutdown,
    writes,
    results,
    async start(request) {
      const index = engine.connections.length;
      const client = await openClient(front);
      client.send(request);
      const remote = await engine.connection(index);
      await remote.receives('\r\n\r\n');
      return { client, remote };
    },
  };
}

async function openClient(front: FrontServer): Promise<RawConnection> {
  const client = await RawConnection.open(front.port);
  cleanups.push(() => {
    client.socket.destroy();
  });
  return client;
}

async function allClosed({ engine, front, results }: Stage, settled = 1): Promise<void> {
  await until(
    'no socket is left',
    () => engine.open() === 0 && front.openSockets() === 0 && results.settled === settled,
  );
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('hijack', () => {
  for (const [kind, request, head] of [
    ['with Upgrade', attach, switching],
    ['without Upgrade', plainAttach, rawOk],
  ] as const) {
    describe(kind, () => {
      it('sends the request on with the given path and every header in its spelling', async () => {
        const { start } = await setStage();
        const { remote } = await start(request.replace('Host: x', 'Host: x\r\nX-Sub: /one\r\nx-sub: /two'));
        assert.equal(
          remote.text,
          request
            .replace('POST /attach', 'POST /v1.41/attach')
            .replace('Host: x', `host: 127.0.0.1:${remote.socket.localPort}\r\nX-Sub: /one\r\nx-sub: /two`),
        );
      });

      it('relays the head byte for byte and apart from the payload of the same segment', async () => {
        const { start, writes } = await setStage();
        const { client, remote } = await start(request);
        remote.send(head, 'first output');
        await client.receives('first output');
        assert.equal(client.text, `${head}first output`);
        assert.deepEqual(writes, [head, 'first output']);
      });

      it('relays a head that comes in several segments', async () => {
        const { start } = await setStage();
        const { client, remote } = await start(request);
        for (const byte of head) remote.send(byte);
        remote.send('out');
        await client.receives('\r\n\r\nout');
        assert.equal(client.text, `${head}out`);
      });

      it('forwards the FIN of the client, and the output that follows it', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.send(head);
        await client.receives('\r\n\r\n');
        client.send('last input');
        client.socket.end();
        await remote.ends();
        assert.equal(remote.body, 'last input');
        assert.equal(client.hasEnded, false);
        remote.send('late output');
        remote.socket.end();
        await client.ends();
        assert.equal(client.body, 'late output');
        await allClosed(stage);
      });

      it('forwards the FIN of the engine, and the input that follows it', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.send(head, 'all output');
        remote.socket.end();
        await client.ends();
        assert.equal(client.body, 'all output');
        client.send('still typing');
        client.socket.end();
        await remote.ends();
        assert.equal(remote.body, 'still typing');
        await allClosed(stage);
      });

      it('holds early input back until the engine agrees, then delivers it', async () => {
        const { start } = await setStage();
        const { client, remote } = await start(`${request}early`);
        client.send(' bird');
        assert.equal(remote.body, '');
        remote.send(head);
        await remote.receives('early bird');
        assert.equal(remote.body, 'early bird');
      });

      it('remembers a FIN that came before the answer', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(`${request}echo`);
        client.socket.end();
        remote.send(head);
        await remote.ends();
        assert.equal(remote.body, 'echo');
        remote.socket.end('done');
        await client.ends();
        assert.equal(client.body, 'done');
        await allClosed(stage);
      });

      it('relays a refusal, closes, and never lets the engine hear what else the client says', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(`${request}DELETE /containers/x HTTP/1.1\r\n\r\n`);
        const answer = 'Content-Type: application/json\r\nContent-Length: 18\r\n';
        remote.send(
          `HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\n${answer}\r\n{"message":"gone"}HTTP/1.1 200 OK\r\n\r\n`,
        );
        await client.ends();
        client.send('GET /more HTTP/1.1\r\n\r\n');
        client.socket.end();
        await remote.ends();
        remote.socket.end();
        await allClosed(stage);
        assert.equal(client.text, `HTTP/1.1 404 Not Found\r\nConnection: close\r\n${answer}\r\n{"message":"gone"}`);
        assert.equal(remote.body, '');
        assert.equal(stage.results.error, undefined);
      });

      it('breaks the client when the engine breaks', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.send(head, 'some');
        await client.receives('some');
        remote.socket.resetAndDestroy();
        await client.closes();
        assert.equal(client.hasEnded, false);
        await allClosed(stage);
      });

      it('breaks the engine when the client breaks', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.send(head);
        await client.receives('\r\n\r\n');
        client.socket.resetAndDestroy();
        await remote.closes();
        assert.equal(remote.hasEnded, false);
        await allClosed(stage);
      });

      it('breaks the engine when the client breaks before the answer', async () => {
        const stage = await setStage();
        const { client } = await stage.start(request);
        client.socket.resetAndDestroy();
        await allClosed(stage);
        assert.equal(stage.results.error, undefined);
      });

      it('answers 503 when the engine is lost before the answer', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.socket.destroy();
        await client.receives('{"message":"no"}');
        assert.match(client.text, /^HTTP\/1\.1 503 Service Unavailable\r\n.*Connection: close\r\n\r\n/s);
        client.socket.end();
        await allClosed(stage);
      });

      it('answers 503 when the engine cannot be reached', async () => {
        const stage = await setStage();
        await stage.engine.close();
        const client = await openClient(stage.front);
        client.send(request);
        await client.receives('{"message":"no"}');
        assert.match(client.text, /^HTTP\/1\.1 503 /);
      });

      it('breaks both sides on shutdown', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.send(head);
        await client.receives('\r\n\r\n');
        stage.shutdown.abort();
        await client.closes();
        await remote.closes();
        await allClosed(stage);
      });

      it('carries 20 MB both ways at once, unchanged', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.send(head);
        await client.receives('\r\n\r\n');
        const input = randomBytes(20_000_000);
        const output = randomBytes(20_000_000);
        const headBytes = Buffer.concat(remote.chunks).length;
        client.socket.end(input);
        remote.socket.end(output);
        await client.ends();
        await remote.ends();
        assert.equal(digest(Buffer.concat(remote.chunks).subarray(headBytes)), digest(input));
        assert.equal(digest(Buffer.concat(client.chunks).subarray(head.length)), digest(output));
        await allClosed(stage);
      });

      it('lets a client that does not read hold the engine up', async () => {
        const stage = await setStage();
        const { client, remote } = await stage.start(request);
        remote.send(head);
        await client.receives('\r\n\r\n');
        client.socket.pause();
        const block = Buffer.alloc(1_000_000);
        let written = 0;
        while (remote.socket.writableLength < 4_000_000 && written < 200) {
          remote.send(block);
          written += 1;
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.ok(written < 200, 'the engine was never held up');
        client.socket.resume();
        remote.socket.end();
        await client.ends();
        assert.equal(Buffer.concat(client.chunks).length, head.length + written * block.length);
      });
    });
  }

  it('answers a refusal in chunks up to its end', async () => {
    const { start } = await setStage();
    const { client, remote } = await start(attach);
    remote.send('HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n', '0\r\n\r\nrest');
    await client.ends();
    assert.equal(client.body, '2\r\nno\r\n0\r\n\r\n');
  });

  it('breaks the client when a refusal breaks off', async () => {
    const stage = await setStage();
    const { client, remote } = await stage.start(attach);
    remote.send('HTTP/1.1 409 Conflict\r\nContent-Length: 10\r\n\r\nshort');
    remote.socket.end();
    await client.closes();
    await allClosed(stage);
  });

  it('lets the engine go when the client breaks in the middle of a refusal', async () => {
    const stage = await setStage();
    const { client, remote } = await stage.start(attach);
    remote.send('HTTP/1.1 409 Conflict\r\nContent-Length: 10\r\n\r\nshort');
    await client.receives('short');
    client.socket.resetAndDestroy();
    await remote.ends();
    remote.socket.end();
    await allClosed(stage);
  });

  const json = '{"Detach":false,"Tty":true}';
  const execStart = `POST /exec/1/start HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n`;

  it('delivers a body that comes with the head, and holds back what follows it', async () => {
    const { start } = await setStage();
    const { remote } = await start(`${execStart}${json}stdin`);
    await remote.receives(json);
    assert.equal(remote.body, json);
    remote.send(switching);
    await remote.receives('stdin');
    assert.equal(remote.body, `${json}stdin`);
  });

  it('delivers a body that comes in later segments', async () => {
    const { start } = await setStage();
    const { client, remote } = await start(execStart);
    for (const byte of json) client.send(byte);
    await remote.receives(json);
    remote.send(switching);
    await client.receives('101 UPGRADED');
    client.send('stdin');
    await remote.receives('stdin');
    assert.equal(remote.body, `${json}stdin`);
  });

  it('delivers a body that is longer than any buffer', async () => {
    const { start } = await setStage();
    const { client, remote } = await start(execStart.replace(`Length: ${json.length}`, 'Length: 3000000'));
    client.send(Buffer.alloc(3_000_000, 'x'), 'stdin');
    await until('the body is complete', () => remote.body.length === 3_000_000);
    remote.send(switching);
    await remote.receives('stdin');
    assert.equal(remote.body.length, 3_000_005);
  });

  it('gives up on a body that breaks off', async () => {
    const stage = await setStage();
    const { client } = await stage.start(`${execStart}{"Det`);
    client.socket.end();
    await client.closes();
    await allClosed(stage);
  });

  for (const [title, body] of [
    ['without an end', ''],
    ['that is empty', '0\r\n\r\n'],
  ] as const) {
    it(`accepts an upgrade with a chunked body ${title}`, async () => {
      const { start } = await setStage();
      const { client, remote } = await start(attach.replace('Content-Length: 0', 'Transfer-Encoding: chunked') + body);
      remote.send(switching, 'hi');
      await client.receives('hi');
      client.send('stdin');
      await remote.receives('stdin');
      assert.equal(remote.body, `${body}stdin`);
    });
  }

  it('answers 400 to a chunked body that is broken', async () => {
    const { start, results } = await setStage();
    const { client } = await start(`${attach.replace('Content-Length: 0', 'Transfer-Encoding: chunked')}zz\r\n`);
    await client.receives('HTTP/1.1 400 Bad Request');
    assert.ok(results.error instanceof ApiError);
  });

  it('delivers a body that Node has parsed, with what follows it in the head', async () => {
    const engine = await startRawEngine();
    const upstream: Upstream = { name: 'node-1', host: '127.0.0.1', port: engine.port, agent: http.globalAgent };
    const accepted: Promise<unknown>[] = [];
    const front = await startFrontServer(new http.Server());
    front.server.removeAllListeners('connection');
    front.server.on('connection', (socket: net.Socket) => {
      const req = Object.assign(new http.IncomingMessage(socket), {
        method: 'POST',
        url: '/exec/1/start',
        complete: true,
        rawHeaders: ['Host', 'x', 'Transfer-Encoding', 'chunked'],
      });
      req.push('hello');
      req.push(null);
      accepted.push(
        hijack({ req, socket, head: Buffer.from('early') }, upstream, {
          path: '/x',
          signal: new AbortController().signal,
        }),
      );
    });
    cleanups.push(
      () => front.close(),
      () => engine.close(),
    );
    const client = await openClient(front);
    const remote = await engine.connection(0);
    await remote.receives('0\r\n\r\n');
    assert.equal(remote.body, '5\r\nhello\r\n0\r\n\r\n');
    remote.send(switching);
    await remote.receives('early');
    client.socket.end();
    remote.socket.end();
    await Promise.all(accepted);
  });

  it('skips interim answers and tells a client that asks to continue', async () => {
    const { start } = await setStage();
    const { client, remote } = await start(execStart.replace('Host: x', 'Host: x\r\nExpect: 100-continue'));
    await client.receives('HTTP/1.1 100 Continue\r\n\r\n');
    assert.doesNotMatch(remote.text, /expect/i);
    client.send(json);
    await remote.receives(json);
    remote.send('HTTP/1.1 100 Continue\r\n\r\n', switching);
    await client.receives('101 UPGRADED');
    assert.equal(client.text, `HTTP/1.1 100 Continue\r\n\r\n${switching}`);
  });

  it('hijacks a websocket', async () => {
    const { start } = await setStage();
    const { client, remote } = await start(
      'GET /attach/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n',
    );
    remote.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 'frame');
    await client.receives('frame');
  });

  it('leaves other requests of the same server alone', async () => {
    const { front, engine } = await setStage();
    const client = await openClient(front);
    client.send(
      'GET /attach HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi',
    );
    await until('both are answered', () => client.text.split('ours').length === 3);
    assert.equal(engine.connections.length, 0);
  });

  it('leaves no socket behind after 1,000 clients', async function () {
    this.timeout(60_000);
    const stage = await setStage((connection) => {
      connection.socket.once('data', () => connection.socket.end(`${switching}bye`));
    });
    for (let round = 0; round < 1_000; round += 1) {
      const client = new RawConnection(net.connect({ port: stage.front.port, host: '127.0.0.1', allowHalfOpen: true }));
      client.socket.end(attach);
      await new Promise((resolve) => client.socket.once('close', resolve));
      assert.equal(client.body, 'bye');
    }
    await allClosed(stage, 1_000);
  });
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
