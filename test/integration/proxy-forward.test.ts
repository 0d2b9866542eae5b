import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, it } from 'mocha';
import { ApiError } from '../../src/common/errors.ts';
import { forward, type ForwardOptions, type ForwardResult } from '../../src/proxy/forward.ts';
import { changeHeaders } from '../../src/proxy/raw-head.ts';
import type { Upstream } from '../../src/proxy/upstream.ts';
import {
  type FrontServer,
  RawConnection,
  type RawEngine,
  startFrontServer,
  startRawEngine,
} from '../support/raw-peers.ts';
import { until } from '../support/until.ts';

const cleanups: (() => Promise<void> | void)[] = [];

interface Stage {
  readonly engine: RawEngine;
  readonly front: FrontServer;
  readonly results: ForwardResult[];
  readonly errors: unknown[];
  readonly client: () => Promise<RawConnection>;
  /** A client that has sent `request`, and the engine's connection with a complete head received. */
  readonly start: (request: string) => Promise<{ client: RawConnection; remote: RawConnection }>;
}

type Script = (connection: RawConnection, index: number) => void;

async function setStage(options: Partial<ForwardOptions> = {}, script?: Script): Promise<Stage> {
  let accepted = 0;
  const engine = await startRawEngine((connection) => script?.(connection, accepted++));
  const agent = new http.Agent({ keepAlive: true });
  const upstream: Upstream = { name: 'node-1', host: '127.0.0.1', port: engine.port, agent };
  const results: ForwardResult[] = [];
  const errors: unknown[] = [];
  const server = http.createServer((req, res) => {
    forward(req, res, upstream, { path: `/v1.41${req.url ?? ''}`, ...options }).then(
      (result) => results.push(result),
      (error: unknown) => {
        errors.push(error);
        const body = '{"message":"no"}\n';
        res.writeHead(error instanceof ApiError ? error.status : 500, { 'Content-Length': body.length }).end(body);
      },
    );
  });
  const front = await startFrontServer(server);
  cleanups.push(
    () => {
      agent.destroy();
    },
    () => front.close(),
    () => engine.close(),
  );
  const client = async (): Promise<RawConnection> => {
    const connection = await RawConnection.open(front.port);
    cleanups.push(() => {
      connection.socket.destroy();
    });
    return connection;
  };
  return {
    engine,
    front,
    results,
    errors,
    client,
    async start(request) {
      const connection = await client();
      connection.send(request);
      const remote = await engine.connection(0);
      await remote.receives('\r\n\r\n');
      return { client: connection, remote };
    },
  };
}

/** Answers every complete head with `answer`. */
function answering(answer: string): Script {
  return (connection) => {
    connection.socket.on('data', (chunk: Buffer) => {
      if (chunk.includes('\r\n\r\n')) connection.send(answer);
    });
  };
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('forward', () => {
  it('sends path, query and headers as they came, without those of the hop', async () => {
    const { start } = await setStage();
    const query = '?fromImage=http://r//x&a=%2F&b=a?b';
    const headers = 'X-Registry-Auth: abc\r\nx-meta: 1\r\nX-Meta: 2\r\nConnection: keep-alive\r\nTE: trailers\r\n';
    const { remote } = await start(`GET /images/a%2Fb/json${query} HTTP/1.1\r\nHost: manager\r\n${headers}\r\n`);
    const lines = remote.text.split('\r\n');
    assert.equal(lines[0], `GET /v1.41/images/a%2Fb/json${query} HTTP/1.1`);
    assert.deepEqual(lines.filter((line) => /^(host|x-|te|content-length|transfer)/i.test(line)).sort(), [
      'X-Registry-Auth: abc',
      `host: 127.0.0.1:${remote.socket.localPort}`,
      'x-meta: 1',
      'x-meta: 2',
    ]);
  });

  it('gives a POST without a body the length 0', async () => {
    const { start } = await setStage();
    const { remote } = await start('POST /containers/x/start HTTP/1.1\r\nHost: m\r\n\r\n');
    assert.match(remote.text, /content-length: 0\r\n/i);
    assert.doesNotMatch(remote.text, /transfer-encoding/i);
  });

  it('sends one length with a DELETE', async () => {
    const { start } = await setStage();
    const { remote } = await start('DELETE /x HTTP/1.1\r\nHost: m\r\nContent-Length: 0\r\n\r\n');
    assert.equal(remote.text.match(/content-length/gi)?.length, 1);
  });

  it('relays status, reason and repeated headers, and changes the head as told', async () => {
    const { start } = await setStage({
      onHead: (head) => ({
        ...head,
        rawHeaders: changeHeaders(head.rawHeaders, { Server: 'Docker/28 (linux)', 'Api-Version': '1.51' }),
      }),
    });
    const { client, remote } = await start('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.send(
      'HTTP/1.1 200 Fine\r\nserver: other\r\nX-Part: a\r\nDate: D\r\nx-part: b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    );
    await client.receives('ok');
    assert.equal(
      client.text,
      'HTTP/1.1 200 Fine\r\nServer: Docker/28 (linux)\r\nX-Part: a\r\nDate: D\r\nx-part: b\r\nContent-Length: 2\r\nApi-Version: 1.51\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nok',
    );
  });

  it('relays the head the moment it arrives', async () => {
    const { start, results } = await setStage();
    const { client, remote } = await start('POST /wait HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.receives('\r\n\r\n');
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Transfer-Encoding: chunked\r\n/);
    assert.equal(client.body, '');
    remote.send('2\r\n{}\r\n0\r\n\r\n');
    await client.receives('0\r\n\r\n');
    assert.equal(client.body, '2\r\n{}\r\n0\r\n\r\n');
    await until('it is over', () => results.length === 1);
    assert.deepEqual(results, [{ outcome: 'complete', statusCode: 200 }]);
  });

  it('answers while the request is still being read', async () => {
    const { start } = await setStage();
    const { client, remote } = await start(
      'POST /build HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n',
    );
    await remote.receives('3\r\none\r\n');
    remote.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nstep 1\r\n');
    await client.receives('step 1');
    client.send('3\r\ntwo\r\n0\r\n\r\n');
    await remote.receives('3\r\ntwo\r\n0\r\n\r\n');
    remote.send('6\r\nstep 2\r\n0\r\n\r\n');
    await client.receives('step 2\r\n0\r\n\r\n');
  });

  it('lets a client that asks to continue send its body', async () => {
    const { start } = await setStage();
    const { client, remote } = await start(
      'PUT /archive HTTP/1.1\r\nHost: m\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
    );
    await client.receives('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('body');
    await remote.receives('body');
    assert.doesNotMatch(remote.text, /expect/i);
    remote.send(ok);
    await client.receives('\r\n\r\nok');
  });

  it('sends the body it is given in place of the client’s', async () => {
    const { start } = await setStage({ body: Buffer.from('{"b":1}'), headers: { 'X-New': 'y', 'X-Old': undefined } });
    const { client, remote } = await start('POST /x HTTP/1.1\r\nHost: m\r\nX-Old: 1\r\nContent-Length: 2\r\n\r\nxx');
    await remote.receives('{"b":1}');
    assert.equal(remote.body, '{"b":1}');
    assert.match(remote.text, /content-length: 7\r\n/);
    assert.match(remote.text, /X-New: y\r\n/);
    assert.doesNotMatch(remote.text, /X-Old/);
    remote.send(ok);
    await client.receives('\r\n\r\nok');
  });

  it('uses the connections of the pool again', async () => {
    const { client, engine } = await setStage({}, answering(ok));
    const connection = await client();
    for (let round = 1; round <= 20; round += 1) {
      connection.send('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
      await until(`answer ${round} is here`, () => connection.text.split('\r\n\r\nok').length === round + 1);
    }
    assert.equal(engine.connections.length, 1);
  });

  it('answers HEAD, 204 and 304 without waiting for a body', async () => {
    for (const [method, head] of [
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5'],
      ['GET', 'HTTP/1.1 304 Not Modified'],
      ['POST', 'HTTP/1.1 204 No Content'],
    ]) {
      const { start, results } = await setStage();
      const { client, remote } = await start(`${method ?? ''} /x HTTP/1.1\r\nHost: m\r\n\r\n`);
      remote.send(`${head ?? ''}\r\n\r\n`);
      await until('it is over', () => results[0]?.outcome === 'complete');
      await client.receives('\r\n\r\n');
      assert.ok(client.text.startsWith(head ?? ''));
      assert.equal(client.body, '');
    }
  });

  it('rejects with 503 when the engine cannot be reached', async () => {
    const { client, engine, errors } = await setStage();
    await engine.close();
    const connection = await client();
    connection.send('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
    await connection.receives('{"message":"no"}');
    assert.match(connection.text, /^HTTP\/1\.1 503 /);
    assert.match(String(errors[0]), /Node node-1 cannot be reached/);
  });

  it('rejects with 503 when the engine is lost before it answers, and keeps the client', async () => {
    const { start, engine } = await setStage();
    const { client, remote } = await start('POST /x HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.socket.resetAndDestroy();
    await client.receives('{"message":"no"}');
    client.send('POST /y HTTP/1.1\r\nHost: m\r\n\r\n');
    const next = await engine.connection(1);
    await next.receives('\r\n\r\n');
    next.send(ok);
    await client.receives('\r\n\r\nok');
  });

  it('rejects with 503 when the engine is silent for too long', async () => {
    const { start, errors } = await setStage({ timeoutMs: 50 });
    const { client, remote } = await start('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
    await client.receives('{"message":"no"}');
    assert.match(String(errors[0]), /no answer within 50 ms/);
    await remote.ends();
  });

  it('breaks the client when the engine is lost in the middle of its answer', async () => {
    const { start, results } = await setStage();
    const { client, remote } = await start('GET /logs HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nline\r\n');
    await client.receives('line');
    remote.socket.resetAndDestroy();
    await client.ends();
    assert.doesNotMatch(client.text, /0\r\n\r\n$/);
    await until('it is over', () => results.length === 1);
    assert.deepEqual(results, [{ outcome: 'engine-lost', statusCode: 200 }]);
  });

  it('ends with last words when it is given some and the engine is lost', async () => {
    const { start } = await setStage({ farewell: (cause) => `{"error":${JSON.stringify(cause.message)}}` });
    const { client, remote } = await start('POST /pull HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n');
    await client.receives('{}');
    remote.socket.resetAndDestroy();
    await client.receives('0\r\n\r\n');
    assert.match(client.body, /\{"error":".+"\}\r\n0\r\n\r\n$/);
  });

  for (const [moment, begin] of [
    ['before the answer', undefined],
    ['in the middle of the answer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nline\r\n'],
  ] as const) {
    it(`ends the engine's work when the client leaves ${moment}`, async () => {
      const { start, results, errors } = await setStage();
      const { client, remote } = await start('GET /logs?follow=1 HTTP/1.1\r\nHost: m\r\n\r\n');
      if (begin !== undefined) {
        remote.send(begin);
        await client.receives('line');
      }
      client.socket.destroy();
      await remote.ends();
      await until('it is over', () => results.length === 1);
      assert.equal(results[0]?.outcome, 'client-gone');
      assert.deepEqual(errors, []);
    });
  }

  it('ends the engine’s work when the client leaves in the middle of its request', async () => {
    const { start, results } = await setStage();
    const { client, remote } = await start('POST /load HTTP/1.1\r\nHost: m\r\nContent-Length: 100\r\n\r\nsome');
    await remote.receives('some');
    client.socket.destroy();
    await remote.ends();
    await until('it is over', () => results[0]?.outcome === 'client-gone');
  });

  it('keeps the client when the engine answers without reading the request', async () => {
    const { start, engine } = await setStage();
    const { client, remote } = await start('POST /load HTTP/1.1\r\nHost: m\r\nContent-Length: 2000000\r\n\r\nsome');
    remote.send('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno');
    await client.receives('\r\n\r\nno');
    client.send(Buffer.alloc(1_999_996), 'GET /next HTTP/1.1\r\nHost: m\r\n\r\n');
    const next = await engine.connection(1);
    await next.receives('GET /v1.41/next');
    next.send(ok);
    await client.receives('\r\n\r\nok');
  });

  it('repeats a GET once on a new connection when the pooled one was stale', async () => {
    const { client, engine } = await setStage({}, (connection, index) => {
      let requests = 0;
      connection.socket.on('data', () => {
        requests += 1;
        if (index === 0 && requests > 1) connection.socket.resetAndDestroy();
        else connection.send(ok);
      });
    });
    const connection = await client();
    for (const round of [1, 2]) {
      connection.send('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
      await until('the answer is here', () => connection.text.split('\r\n\r\nok').length === round + 1);
    }
    assert.equal(engine.connections.length, 2);
  });

  it('never repeats a POST', async () => {
    const { client, engine } = await setStage({}, (connection) => {
      let requests = 0;
      connection.socket.on('data', () => {
        requests += 1;
        if (requests > 1) connection.socket.resetAndDestroy();
        else connection.send(ok);
      });
    });
    const connection = await client();
    connection.send('POST /x HTTP/1.1\r\nHost: m\r\n\r\n');
    await connection.receives('\r\n\r\nok');
    connection.send('POST /x HTTP/1.1\r\nHost: m\r\n\r\n');
    await connection.receives('HTTP/1.1 503 ');
    assert.equal(engine.connections.length, 1);
  });

  const addNode = { rewrite: (body: unknown) => ({ ...(typeof body === 'object' ? body : {}), Node: 'é' }) };

  it('rewrites a JSON answer, whose encoding it does not negotiate', async () => {
    const { start } = await setStage(addNode);
    const { client, remote } = await start('GET /x HTTP/1.1\r\nHost: m\r\nAccept-Encoding: gzip\r\n\r\n');
    assert.doesNotMatch(remote.text, /accept-encoding/i);
    remote.send(
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"Id":1\r\n1\r\n}\r\n0\r\n\r\n',
    );
    await client.receives('}\n');
    assert.match(client.text, /Content-Length: 21\r\n/);
    assert.equal(Buffer.from(client.body, 'latin1').toString('utf8'), '{"Id":1,"Node":"é"}\n');
  });

  it('does not rewrite an error', async () => {
    const { start } = await setStage(addNode);
    const { client, remote } = await start('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.send(
      'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"message":"x"}',
    );
    await client.receives('{"message":"x"}');
    assert.equal(client.body, '{"message":"x"}');
  });

  it('rejects with 503 when an answer that is to be rewritten breaks off', async () => {
    const { start } = await setStage(addNode);
    const { client, remote } = await start('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.send('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{');
    remote.socket.end();
    await client.receives('HTTP/1.1 503 ');
  });

  it('carries 20 MB both ways, unchanged', async () => {
    const { start, results } = await setStage();
    const input = randomBytes(20_000_000);
    const output = randomBytes(20_000_000);
    const { client, remote } = await start(`POST /load HTTP/1.1\r\nHost: m\r\nContent-Length: ${input.length}\r\n\r\n`);
    const headLength = Buffer.concat(remote.chunks).length;
    client.send(input);
    remote.send(`HTTP/1.1 200 OK\r\nContent-Length: ${output.length}\r\n\r\n`, output);
    await until('it is over', () => results.length === 1);
    await until('the input is complete', () => sizeOf(remote.chunks) === headLength + input.length);
    const received = (): Buffer => Buffer.concat(client.chunks);
    await until(
      'the output is complete',
      () =>
        sizeOf(client.chunks) >= output.length &&
        received().length - received().indexOf('\r\n\r\n') - 4 === output.length,
    );
    assert.equal(digest(Buffer.concat(remote.chunks).subarray(headLength)), digest(input));
    assert.equal(digest(received().subarray(received().indexOf('\r\n\r\n') + 4)), digest(output));
  });

  it('lets a client that does not read hold the engine up', async () => {
    const { start } = await setStage();
    const { client, remote } = await start('GET /export HTTP/1.1\r\nHost: m\r\n\r\n');
    remote.send('HTTP/1.1 200 OK\r\n\r\n');
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
  });

  it('leaves no connection behind after 1,000 clients that leave in the middle', async function () {
    this.timeout(60_000);
    const { engine, front, results } = await setStage({}, (connection) => {
      connection.socket.once('data', () => {
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nline\r\n');
      });
      connection.socket.on('end', () => connection.socket.end());
    });
    for (let round = 0; round < 1_000; round += 1) {
      const client = await RawConnection.open(front.port);
      client.send('GET /stats HTTP/1.1\r\nHost: m\r\n\r\n');
      while (!client.text.includes('line')) await once(client.socket, 'data');
      client.socket.destroy();
    }
    await until(
      'no socket is left',
      () => engine.open() === 0 && front.openSockets() === 0 && results.length === 1_000,
    );
  });
});

function sizeOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
