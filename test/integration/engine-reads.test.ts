import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, it } from 'mocha';
import type { RawAnswer } from '../../src/engine/answer-parser.ts';
import { DeadlineExceeded } from '../../src/common/deadline.ts';
import { ReadPool } from '../../src/engine/read-pool.ts';
import type { RawRead, ReadAnswer } from '../../src/engine/read-pool.ts';
import { until } from '../support/until.ts';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

interface TestServer {
  readonly pool: ReadPool;
  /** Connections ever accepted. */
  readonly sockets: readonly Socket[];
  /** Paths in the order in which they were asked for. */
  readonly asked: readonly string[];
}

describe('the pool of reads', () => {
  const stops: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function serve(answer: Answer): Promise<TestServer> {
    const sockets: Socket[] = [];
    const asked: string[] = [];
    const server = http.createServer((request, response) => {
      asked.push(request.url ?? '');
      answer(request, response);
    });
    server.on('connection', (socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const pool = new ReadPool({ host: '127.0.0.1', port });
    stops.push(() => {
      pool.destroy();
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    return { pool, sockets, asked };
  }

  function read(pool: ReadPool, path: string, more: Partial<RawRead> = {}): Promise<ReadAnswer> {
    return pool.get({ path, timeoutMs: 5_000, urgency: 'in turn', ...more });
  }

  const echo: Answer = (request, response) => response.end(request.url);

  it('answers many reads over few connections, each with its own answer', async () => {
    const { pool, sockets } = await serve(echo);
    const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((path) => read(pool, path)));
    assert.deepEqual(
      answers.map(({ text }) => text),
      paths,
    );
    assert.ok(sockets.length <= 4, `${sockets.length} connections`);
  });

  it('keeps answers apart that arrive in pieces at the same time', async () => {
    const { pool } = await serve((request, response) => {
      const letter = request.url?.slice(1) ?? '';
      const write = (left: number): void => {
        if (left === 0) response.end();
        else response.write(letter.repeat(20_000), () => setImmediate(write, left - 1));
      };
      write(20);
    });
    const answers = await Promise.all(['a', 'b', 'c'].map((letter) => read(pool, `/${letter}`)));
    assert.deepEqual(
      answers.map(({ text }) => text),
      ['a', 'b', 'c'].map((letter) => letter.repeat(400_000)),
    );
  });

  it('serves the others when some reads are left without an answer, and a read at once in any case', async () => {
    const { pool } = await serve((request, response) => {
      if (request.url !== '/hang') response.end('served');
    });
    const leaving = new AbortController();
    const hung = Array.from({ length: 6 }, () => read(pool, '/hang', { signal: leaving.signal }));
    const urgent = await read(pool, '/urgent', { urgency: 'at once', timeoutMs: 2_000 });
    assert.equal(urgent.text, 'served');
    assert.equal((await read(pool, '/other')).text, 'served');
    leaving.abort(new Error('enough'));
    for (const one of hung) await assert.rejects(one, /enough/);
  });

  it('ends a read at its deadline, and one that waits for a connection too', async () => {
    const { pool, asked } = await serve(() => undefined);
    const reads = Array.from({ length: 5 }, (_, index) => read(pool, `/${index}`, { timeoutMs: 100 }));
    for (const one of reads) await assert.rejects(one, DeadlineExceeded);
    assert.ok(asked.length < 5, 'the last ones never got a connection');
  });

  it('rejects a read whose answer is cut off, and goes on with a new connection', async () => {
    const { pool } = await serve((request, response) => {
      if (request.url !== '/cut') echo(request, response);
      else response.writeHead(200, { 'Content-Length': '10' }).write('half', () => response.destroy());
    });
    await assert.rejects(read(pool, '/cut'));
    assert.equal((await read(pool, '/whole')).text, '/whole');
  });

  it('does not use a connection again that the engine closes', async () => {
    const { pool, sockets } = await serve((request, response) => {
      response.setHeader('Connection', 'close');
      echo(request, response);
    });
    assert.equal((await read(pool, '/1')).text, '/1');
    assert.equal((await read(pool, '/2')).text, '/2');
    assert.equal(sockets.length, 2);
  });

  it('tells a connection that does not come about by its system error', async () => {
    const { pool, sockets } = await serve(echo);
    await read(pool, '/');
    for (const stop of stops.splice(0)) await stop();
    const refused = new ReadPool({ host: '127.0.0.1', port: sockets[0]?.localPort ?? 1 });
    await assert.rejects(read(refused, '/'), { syscall: 'connect' });
    refused.destroy();
    await assert.rejects(read(pool, '/'), /closed/);
  });

  describe('in order', () => {
    async function inOrder(pool: ReadPool, paths: readonly string[]): Promise<{ answered: number; texts: string[] }> {
      const texts: string[] = [];
      const onAnswer = (answer: RawAnswer, index: number): void => {
        texts[index] = answer.body.toString('utf8');
      };
      return { answered: await pool.getInOrder({ paths, patienceMs: () => 100, onAnswer }), texts };
    }

    const paths = Array.from({ length: 300 }, (_, index) => `/${index}`);

    it('asks many questions over one connection and gives each its answer', async () => {
      const { pool, sockets } = await serve((request, response) => response.end(`${request.url} `.repeat(500)));
      const { answered, texts } = await inOrder(pool, paths);
      assert.equal(answered, paths.length);
      assert.deepEqual(
        texts,
        paths.map((path) => `${path} `.repeat(500)),
      );
      assert.equal((await read(pool, '/next')).text.slice(0, 6), '/next ');
      assert.equal(sockets.length, 1);
    });

    for (const { title, fail } of [
      { title: 'falls silent', fail: () => undefined },
      { title: 'breaks the connection', fail: (response: http.ServerResponse) => response.destroy() },
      { title: 'closes after an answer', fail: (response: http.ServerResponse) => response.writeHead(200).end() },
    ]) {
      it(`tells how many were answered when the engine ${title}, and goes on`, async () => {
        const { pool } = await serve((request, response) => {
          if (request.url !== '/7') {
            echo(request, response);
            return;
          }
          response.setHeader('Connection', 'close');
          return fail(response);
        });
        const { answered, texts } = await inOrder(pool, paths);
        assert.equal(answered, title === 'closes after an answer' ? 8 : 7);
        assert.deepEqual(texts.slice(0, 7), paths.slice(0, 7));
        assert.equal((await read(pool, '/other')).text, '/other');
      });
    }
  });

  it('ends everything when it is destroyed', async () => {
    const { pool, sockets, asked } = await serve(() => undefined);
    const reads = Array.from({ length: 8 }, () => read(pool, '/'));
    const ends = Promise.allSettled(reads);
    await until('the reads are under way', () => asked.length > 0);
    pool.destroy();
    for (const { status } of await ends) assert.equal(status, 'rejected');
    await until('all connections are closed', () => sockets.every((socket) => socket.destroyed));
  });
});
