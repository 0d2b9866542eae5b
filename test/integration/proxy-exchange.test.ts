import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, it } from 'mocha';
import { exchange } from '../../src/proxy/exchange.ts';
import { openStream } from '../../src/proxy/open-stream.ts';
import { tee } from '../../src/proxy/tee.ts';
import type { Upstream } from '../../src/proxy/upstream.ts';
import { type RawConnection, type RawEngine, startRawEngine } from '../support/raw-peers.ts';
import { until } from '../support/until.ts';

const ok = 'HTTP/1.1 200 OK\r\nX-A: 1\r\nX-a: 2\r\nContent-Length: 2\r\n\r\nok';
const cleanups: (() => Promise<void> | void)[] = [];
const forever = new AbortController().signal;

async function setStage(
  answer?: string,
): Promise<{ engine: RawEngine; upstream: Upstream; connection: () => Promise<RawConnection> }> {
  const engine = await startRawEngine((connection) => {
    connection.socket.on('data', (chunk: Buffer) => {
      if (answer !== undefined && chunk.includes('\r\n\r\n')) connection.send(answer);
    });
  });
  const agent = new http.Agent({ keepAlive: true });
  cleanups.push(
    () => {
      agent.destroy();
    },
    () => engine.close(),
  );
  const upstream = { name: 'node-1', host: '127.0.0.1', port: engine.port, agent };
  return {
    engine,
    upstream,
    async connection() {
      const connection = await engine.connection(0);
      await connection.receives('\r\n\r\n');
      return connection;
    },
  };
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('exchange', () => {
  it('gives the whole answer, whatever its status', async () => {
    const { upstream } = await setStage(ok.replace('200 OK', '404 Not Found'));
    const { statusCode, rawHeaders, body } = await exchange(upstream, { method: 'GET', path: '/x', signal: forever });
    assert.equal(statusCode, 404);
    assert.deepEqual(rawHeaders.slice(0, 4), ['X-A', '1', 'X-a', '2']);
    assert.equal(body.toString(), 'ok');
  });

  const requests = [
    {
      title: 'a GET without framing',
      method: 'GET',
      body: undefined,
      expected: /^GET \/x HTTP\/1\.1\r\nhost: [^\r]+\r\nConnection: keep-alive\r\n\r\n$/,
    },
    {
      title: 'a POST without a body with length 0',
      method: 'POST',
      body: undefined,
      expected: /content-length: 0\r\n/,
    },
    {
      title: 'bytes with their length',
      method: 'POST',
      body: Buffer.from('abc'),
      expected: /content-length: 3[^]*\r\n\r\nabc$/,
    },
    {
      title: 'a stream in chunks',
      method: 'POST',
      body: Readable.from(['abc']),
      expected: /Transfer-Encoding: chunked[^]*\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/,
    },
  ];
  for (const { title, method, body, expected } of requests) {
    it(`sends ${title}`, async () => {
      const { upstream, engine } = await setStage();
      const answer = exchange(upstream, { method, path: '/x', signal: forever, ...(body && { body }) });
      const remote = await engine.connection(0);
      await until('the request is complete', () => expected.test(remote.text));
      remote.send(ok);
      assert.equal((await answer).body.toString(), 'ok');
    });
  }

  it('uses the connections of the pool again, and repeats a GET when one was stale', async () => {
    const { upstream, engine } = await setStage(ok);
    const request = { method: 'GET', path: '/x', signal: forever };
    await exchange(upstream, request);
    await exchange(upstream, request);
    const [first] = engine.connections;
    assert.equal(engine.connections.length, 1);
    first?.socket.removeAllListeners('data');
    first?.socket.once('data', () => first.socket.resetAndDestroy());
    assert.equal((await exchange(upstream, request)).body.toString(), 'ok');
    assert.equal(engine.connections.length, 2);
  });

  it('rejects an answer that breaks off', async () => {
    const { upstream, connection } = await setStage();
    const answer = exchange(upstream, { method: 'GET', path: '/x', signal: forever });
    const rejected = assert.rejects(answer, { status: 503 });
    const remote = await connection();
    remote.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort');
    remote.socket.end();
    await rejected;
  });

  it('rejects an answer that is too long, and closes', async () => {
    const { upstream, engine } = await setStage('HTTP/1.1 200 OK\r\n\r\n12345');
    await assert.rejects(exchange(upstream, { method: 'GET', path: '/x', signal: forever, maxBytes: 4 }), {
      status: 503,
    });
    await engine.connections[0]?.ends();
  });

  for (const [title, answer] of [
    ['no answer', undefined],
    ['half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'],
  ] as const) {
    it(`rejects when ${title} comes in time, and closes`, async () => {
      const { upstream, engine } = await setStage(answer);
      await assert.rejects(exchange(upstream, { method: 'GET', path: '/x', signal: forever, timeoutMs: 60 }), {
        status: 503,
      });
      await engine.connections[0]?.ends();
    });

    it(`rejects with the reason of the signal after ${title}, and closes`, async () => {
      const { upstream, connection } = await setStage(answer);
      const abort = new AbortController();
      const rejected = assert.rejects(
        exchange(upstream, { method: 'GET', path: '/x', signal: abort.signal }),
        /enough/,
      );
      const remote = await connection();
      abort.abort(new Error('enough'));
      await rejected;
      await remote.ends();
    });
  }

  it('rejects when the signal has aborted already', async () => {
    const { upstream } = await setStage(ok);
    const signal = AbortSignal.abort(new Error('too late'));
    await assert.rejects(exchange(upstream, { method: 'GET', path: '/x', signal }), /too late/);
  });

  it('rejects with 503 when the engine cannot be reached', async () => {
    const { upstream, engine } = await setStage();
    await engine.close();
    await assert.rejects(exchange(upstream, { method: 'GET', path: '/x', signal: forever }), { status: 503 });
  });
});

describe('open stream', () => {
  it('gives the head at once and the body as it comes, and closes when its signal aborts', async () => {
    const { upstream, connection } = await setStage('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const abort = new AbortController();
    const { statusCode, stream } = await openStream(upstream, { method: 'GET', path: '/events', signal: abort.signal });
    assert.equal(statusCode, 200);
    const remote = await connection();
    remote.send('2\r\n{}\r\n');
    assert.equal(String((await once(stream, 'data'))[0]), '{}');
    abort.abort(new Error('enough'));
    await remote.ends();
    await until('the stream is closed', () => stream.closed);
    assert.equal(stream.complete, false);
  });
});

describe('tee', () => {
  it('sends everything to every sink', async () => {
    const sinks = [new PassThrough({ highWaterMark: 4 }), new PassThrough()];
    const texts = sinks.map((sink) => sink.toArray());
    const complete = await tee(Readable.from(['hello ', 'big ', 'world']), sinks, forever);
    assert.deepEqual(complete, sinks);
    for (const text of texts) assert.equal(Buffer.concat(await text).toString(), 'hello big world');
  });

  it('goes at the pace of the slowest sink', async () => {
    const source = new PassThrough();
    const fast = new PassThrough();
    const slow = new PassThrough({ highWaterMark: 10 });
    fast.resume();
    const done = tee(source, [fast, slow], forever);
    source.write(Buffer.alloc(20));
    await until('the source waits', () => source.isPaused());
    slow.resume();
    source.end('end');
    assert.deepEqual(await done, [fast, slow]);
  });

  it('goes on without a sink that fails, even when it was the slow one', async () => {
    const source = new PassThrough();
    const good = new PassThrough();
    const bad = new PassThrough({ highWaterMark: 1 });
    const text = good.toArray();
    const done = tee(source, [good, bad], forever);
    source.write('first');
    await until('the source waits', () => source.isPaused());
    bad.destroy(new Error('refused'));
    source.end(' second');
    assert.deepEqual(await done, [good]);
    assert.equal(Buffer.concat(await text).toString(), 'first second');
  });

  it('stops reading when all sinks are lost, and leaves the source', async () => {
    const source = new PassThrough();
    const sinks = [new PassThrough(), new PassThrough()];
    const done = tee(source, sinks, forever);
    for (const sink of sinks) sink.destroy();
    assert.deepEqual(await done, []);
    assert.equal(source.isPaused(), true);
    assert.equal(source.destroyed, false);
    source.destroy();
  });

  it('destroys the sinks when the source fails', async () => {
    const source = new PassThrough();
    const sink = new PassThrough();
    const done = tee(source, [sink], forever);
    source.destroy(new Error('client left'));
    await assert.rejects(done, /client left/);
    assert.equal(sink.destroyed, true);
  });

  it('destroys the sinks when its signal aborts', async () => {
    const abort = new AbortController();
    const source = new PassThrough();
    const sink = new PassThrough();
    const done = tee(source, [sink], abort.signal);
    abort.abort(new Error('shutdown'));
    await assert.rejects(done, /shutdown/);
    assert.equal(sink.destroyed, true);
    source.destroy();
  });
});
