import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, it } from 'mocha';
import { exchange } from '../../src/proxy/exchange.ts';
import { forward } from '../../src/proxy/forward.ts';
import { hijack } from '../../src/proxy/hijack.ts';
import type { Upstream } from '../../src/proxy/upstream.ts';
import { portOf, RawConnection, startFrontServer } from '../support/raw-peers.ts';
import { tlsIdentity } from '../support/tls-identity.ts';
import { until } from '../support/until.ts';

const halfOpen = { allowHalfOpen: true };
const trust = { ca: tlsIdentity.cert };
const switching = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const cleanups: (() => Promise<void> | void)[] = [];

interface SecureEngine {
  readonly upstream: Upstream;
  readonly connections: RawConnection[];
}

async function startSecureEngine(): Promise<SecureEngine> {
  const connections: RawConnection[] = [];
  const server = tls.createServer({ ...tlsIdentity, allowHalfOpen: true }, (socket) => {
    connections.push(new RawConnection(socket));
  });
  const sockets: net.Socket[] = [];
  server.on('connection', (socket: net.Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const agent = new https.Agent({ ...trust, keepAlive: true });
  cleanups.push(async () => {
    agent.destroy();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { upstream: { name: 'node-1', host: '127.0.0.1', port: portOf(server), agent, tls: trust }, connections };
}

function openPlain(port: number): Promise<RawConnection> {
  return RawConnection.open(port);
}

async function openSecure(port: number): Promise<RawConnection> {
  const client = new RawConnection(tls.connect({ port, host: '127.0.0.1', ...halfOpen, ...trust }));
  cleanups.unshift(() => {
    client.socket.destroy();
  });
  return until('the client is connected', () => client.socket.readyState === 'open' && client);
}

interface HijackStage {
  readonly client: RawConnection;
  /** The connection that was made to the engine for the client's request. */
  readonly remote: RawConnection;
  /** Resolves when the stream is over on the manager's side. */
  readonly over: () => Promise<unknown>;
}

/** A client that has sent `request` to a front that hijacks for a secure engine. */
async function startHijack(
  server: http.Server | https.Server,
  openClient: (port: number) => Promise<RawConnection>,
  ...request: readonly string[]
): Promise<HijackStage> {
  const { upstream, connections } = await startSecureEngine();
  const ended: Promise<void>[] = [];
  server.on('upgrade', (req, socket, head) => {
    ended.push(hijack({ req, socket, head }, upstream, { path: '/attach', signal: new AbortController().signal }));
  });
  const front = await startFrontServer(server);
  cleanups.push(() => front.close());
  const client = await openClient(front.port);
  client.send(...request);
  const remote = await until('the engine is asked', () => connections[0]);
  return { client, remote, over: () => Promise.all(ended) };
}

async function switchProtocols({ client, remote }: HijackStage): Promise<void> {
  await remote.receives('\r\n\r\n');
  remote.send(switching);
  await client.receives('\r\n\r\n');
}

function attachHead(contentLength: number): string {
  return `POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: ${contentLength}\r\n\r\n`;
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('proxy over TLS', () => {
  it('carries half-closes both ways through a hijacked connection', async () => {
    const server = https.createServer({ ...tlsIdentity, allowHalfOpen: true });
    const stage = await startHijack(server, openSecure, attachHead(0));
    const { client, remote } = stage;
    await switchProtocols(stage);
    client.socket.end('last input');
    await remote.ends();
    assert.equal(remote.body, 'last input');
    remote.socket.end('late output');
    await client.ends();
    assert.equal(client.body, 'late output');
    await stage.over();
  });

  it('breaks the client when the engine breaks', async () => {
    const stage = await startHijack(http.createServer(), openPlain, attachHead(0));
    const { client, remote } = stage;
    await switchProtocols(stage);
    remote.socket.destroy();
    await client.ends();
    client.socket.destroy();
    await stage.over();
  });

  it('sends the body of an upgrade in one piece with its head: an engine that does not read it would take it for input', async () => {
    const body = '{"stream":true}';
    const stage = await startHijack(http.createServer(), openPlain, attachHead(body.length), body);
    const { client, remote } = stage;
    await remote.receives(body);
    assert.equal(remote.chunks.length, 1);

    client.socket.resetAndDestroy();
    await stage.over();
  });

  it('forwards requests and exchanges answers', async () => {
    const { upstream, connections } = await startSecureEngine();
    const results: string[] = [];
    const front = await startFrontServer(
      http.createServer((req, res) => {
        forward(req, res, upstream, { path: req.url ?? '' }).then(
          ({ outcome }) => results.push(outcome),
          (error: unknown) => results.push(String(error)),
        );
      }),
    );
    cleanups.push(() => front.close());
    const client = await RawConnection.open(front.port);
    client.send('GET /x HTTP/1.1\r\nHost: manager.example\r\n\r\n');
    const remote = await until('the engine is asked', () => connections[0]);
    await remote.receives('GET /x HTTP/1.1\r\n');
    remote.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.receives('\r\n\r\nok');
    await until('it is over', () => results.length === 1);
    client.socket.destroy();
    assert.deepEqual(results, ['complete']);

    const answer = exchange(upstream, { method: 'GET', path: '/y', signal: new AbortController().signal });
    await remote.receives('GET /y HTTP/1.1\r\n');
    remote.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await answer).body.toString(), 'ok');
    assert.equal(connections.length, 1);
  });

  it('refuses an engine whose certificate is not trusted', async () => {
    const { upstream } = await startSecureEngine();
    const stranger = { ...upstream, tls: {}, agent: new https.Agent() };
    const signal = new AbortController().signal;
    await assert.rejects(exchange(stranger, { method: 'GET', path: '/x', signal }), { status: 503 });
  });
});
