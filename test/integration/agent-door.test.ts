import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, it } from 'mocha';
import { Door, type DoorOptions } from '../../src/agent/door.ts';
import type { EnginePlace } from '../../src/agent/engine-probe.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { RawConnection, type RawEngine, startRawEngine } from '../support/raw-peers.ts';
import { startSimulatedEngine } from '../support/simulated-engine/simulated-engine.ts';
import { otherTlsIdentity, tlsIdentity } from '../support/tls-identity.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();
const mutual = { ...tlsIdentity, clientCa: tlsIdentity.cert };
const cleanups: (() => Promise<void> | void)[] = [];

interface Passage {
  readonly door: Door;
  readonly port: number;
  readonly engine: RawEngine;
  /** A client that has sent `first`, and the connection that the door made for it. */
  readonly pass: (first: string) => Promise<{ client: RawConnection; remote: RawConnection }>;
}

async function openDoor(
  engine: EnginePlace,
  options: Partial<DoorOptions> = {},
): Promise<{ door: Door; port: number }> {
  const door = new Door({ engine, logger, ...options });
  cleanups.push(() => door.stop());
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  return { door, port };
}

function rememberClient(client: RawConnection): RawConnection {
  cleanups.push(() => {
    client.socket.destroy();
  });
  return client;
}

function connectTls(port: number, options: tls.ConnectionOptions): RawConnection {
  const target = { port, host: '127.0.0.1', ca: tlsIdentity.cert, allowHalfOpen: true };
  return rememberClient(new RawConnection(tls.connect({ ...target, ...options })));
}

async function build(secure: 'plain' | 'TLS'): Promise<Passage> {
  const engine = await startRawEngine();
  cleanups.push(() => engine.close());
  const place = { host: '127.0.0.1', port: engine.port };
  const { door, port } = await openDoor(place, secure === 'TLS' ? { tls: mutual } : {});
  const open = async (): Promise<RawConnection> =>
    secure === 'TLS' ? connectTls(port, tlsIdentity) : rememberClient(await RawConnection.open(port));
  return {
    door,
    port,
    engine,
    async pass(first) {
      const index = engine.connections.length;
      const client = await open();
      client.send(first);
      const remote = await engine.connection(index);
      await remote.receives(first);
      return { client, remote };
    },
  };
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('the door of an engine', () => {
  for (const secure of ['plain', 'TLS'] as const) {
    describe(secure, () => {
      for (const [kind, request, answer] of [
        [
          'an ordinary request',
          'GET /info HTTP/1.1\r\nHost: x\r\n\r\n',
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
        ],
        ['a refusal', 'POST /exec/x/start HTTP/1.1\r\nUpgrade: tcp\r\n\r\n', 'HTTP/1.1 404 Not Found\r\n\r\n'],
        ['a raw stream', 'POST /attach HTTP/1.1\r\nUpgrade: tcp\r\n\r\n', 'HTTP/1.1 101 UPGRADED\r\n\r\n'],
        ['an old attach', 'POST /attach HTTP/1.1\r\n\r\nearly', 'HTTP/1.1 200 OK\r\n\r\n'],
        ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\0\0\0\x04\0\0\0\0\0'],
      ] as const) {
        it(`passes ${kind} byte for byte, as soon as it comes`, async () => {
          const { pass } = await build(secure);
          const { client, remote } = await pass(request);
          remote.send(answer);
          await client.receives(answer);
          client.send('more');
          await remote.receives('more');
          assert.deepEqual([remote.text, client.text], [`${request}more`, answer]);
        });
      }

      it('keeps the output open when the client ends its input', async () => {
        const { pass, engine } = await build(secure);
        const { client, remote } = await pass('last input');
        client.socket.end();
        await remote.ends();
        remote.send('late output');
        remote.socket.end();
        await client.ends();
        assert.equal(client.text, 'late output');
        await until('no connection to the engine is left', () => engine.open() === 0);
      });

      it('keeps the input open when the engine ends its output', async () => {
        const { pass } = await build(secure);
        const { client, remote } = await pass('a');
        remote.socket.end('all output');
        await client.ends();
        client.send('still typing');
        await remote.receives('still typing');
        assert.equal(client.text, 'all output');
      });

      it('lets the engine go when the client is gone', async () => {
        const { pass, engine } = await build(secure);
        const { client, remote } = await pass('GET /events HTTP/1.1\r\n\r\n');
        client.socket.destroy();
        await remote.ends();
        await until('the engine is rid of the client', () => {
          remote.send('an event that nobody reads');
          return engine.open() === 0;
        });
      });

      it('breaks the connection of a client whose engine breaks', async () => {
        const { pass } = await build(secure);
        const { client, remote } = await pass('GET /events HTTP/1.1\r\n\r\n');
        remote.send('half an ans');
        await client.receives('half an ans');
        remote.socket.resetAndDestroy();
        await client.ends();
      });

      it('takes every connection along when it is closed', async () => {
        const { door, pass, engine } = await build(secure);
        const { client } = await pass('GET /events HTTP/1.1\r\n\r\n');
        await door.stop();
        await client.ends();
        await until('no connection to the engine is left', () => engine.open() === 0);
      });

      it('carries 32 MiB both ways unchanged', async () => {
        const { pass } = await build(secure);
        const { client, remote } = await pass('go');
        client.socket.removeAllListeners('data');
        remote.socket.removeAllListeners('data');
        remote.socket.pipe(remote.socket);
        const [sent, received] = [createHash('sha256'), createHash('sha256')];
        client.socket.on('data', (chunk: Buffer) => received.update(chunk));
        for (let piece = 0; piece < 32; piece += 1) {
          const bytes = randomBytes(1024 * 1024);
          sent.update(bytes);
          if (!client.socket.write(bytes)) await once(client.socket, 'drain');
        }
        client.socket.end();
        await client.ends();
        assert.equal(received.digest('hex'), sent.digest('hex'));
      });
    });
  }

  it('answers for an engine that is down, and passes on as soon as it is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-door-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const socketPath = join(folder, 'docker.sock');
    const { port } = await openDoor({ socketPath });
    const client = rememberClient(await RawConnection.open(port));
    client.send('POST /containers/create HTTP/1.1\r\nContent-Length: 5\r\n\r\n{');
    await client.ends();
    assert.match(client.text, /^HTTP\/1\.1 503 Service Unavailable\r\n[^]*Connection: close\r\n/);
    assert.match(client.body, /^\{"message":"the agent does not reach its engine: connect ENOENT .*docker\.sock"\}\n$/);

    const engine = http.createServer((_req, res) => res.end('OK'));
    cleanups.push(
      () =>
        new Promise((resolve) =>
          engine.close(() => {
            resolve();
          }),
        ),
    );
    await new Promise<void>((resolve) => engine.listen(socketPath, resolve));
    const answer = await fetch(`http://127.0.0.1:${port}/_ping`, { headers: { connection: 'close' } });
    assert.equal(await answer.text(), 'OK');
  });

  it('does not trouble the engine with a connection that says nothing', async () => {
    const { port, engine, pass } = await build('plain');
    const silent = rememberClient(await RawConnection.open(port));
    await pass('somebody else');
    assert.equal(engine.connections.length, 1);
    silent.socket.end();
    await silent.closes();
  });

  it('runs a command through a simulated engine, with input, output and the end of both', async () => {
    const engine = await startSimulatedEngine({ name: 'node-1' });
    cleanups.push(() => engine.stop());
    const { id } = engine.createDirectly({ body: { OpenStdin: true } });
    const { port } = await openDoor({ host: '127.0.0.1', port: engine.port });
    const client = rememberClient(await RawConnection.open(port));
    client.send(
      `POST /containers/${id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n`,
      'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n',
    );
    await client.receives('101 UPGRADED');
    client.send('last input');
    client.socket.end();
    await client.ends();
    assert.match(client.text, /last input$/);
  });

  describe('with mutual TLS', () => {
    const refused = (reason: string): RegExp =>
      new RegExp(`^HTTP/1.1 403 .*"the client is refused: ${reason}"}\\n$`, 's');
    const strangers: readonly { title: string; options: tls.ConnectionOptions; answer: RegExp }[] = [
      { title: 'without a certificate', options: {}, answer: refused('it shows no certificate') },
      {
        title: 'with the certificate of another authority',
        options: otherTlsIdentity,
        answer: refused('its certificate is signed by itself, not by our CA'),
      },
      {
        title: 'with TLS 1.1',
        options: { ...tlsIdentity, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
        answer: /^$/,
      },
    ];
    for (const { title, options, answer } of strangers) {
      it(`lets nobody in ${title}`, async () => {
        const { port, engine } = await build('TLS');
        const client = connectTls(port, options);
        client.send('GET /_ping HTTP/1.1\r\n\r\n');
        await client.ends();
        assert.match(client.text, answer);
        assert.equal(engine.connections.length, 0);
      });
    }

    it('lets nobody in who speaks no TLS', async () => {
      const { port, engine } = await build('TLS');
      const client = rememberClient(await RawConnection.open(port));
      client.send('GET /_ping HTTP/1.1\r\n\r\n');
      await client.ends();
      assert.equal(client.text.includes('HTTP/1.1'), false);
      assert.equal(engine.connections.length, 0);
    });

    it('does not wait for a handshake when it is closed', async () => {
      const { door, port } = await build('TLS');
      const silent = net.connect(port, '127.0.0.1');
      await once(silent, 'connect');
      const closed = once(silent, 'close');
      await door.stop();
      silent.resume();
      await closed;
    });
  });
});
