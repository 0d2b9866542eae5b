import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import { exchange } from '../../src/proxy/exchange.ts';
import { forward } from '../../src/proxy/forward.ts';
import { hijack } from '../../src/proxy/hijack.ts';
import { RawConnection, startFrontServer } from '../support/raw-peers.ts';
import { until } from '../support/until.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('proxy to a unix socket', () => {
  it('forwards, exchanges and hijacks, with a host that engines accept', async () => {
    const connections: RawConnection[] = [];
    const directory = await mkdtemp(join(tmpdir(), 'proxy-'));
    const socketPath = join(directory, 'engine.sock');
    const engine = net.createServer({ allowHalfOpen: true }, (socket) => {
      connections.push(new RawConnection(socket));
    });
    await new Promise<void>((resolve) => engine.listen(socketPath, resolve));
    const upstream = { name: 'node-1', host: '', port: 0, socketPath, agent: new http.Agent() };
    const { signal } = new AbortController();
    const ended: Promise<unknown>[] = [];
    const server = http.createServer((req, res) => {
      ended.push(forward(req, res, upstream, { path: req.url ?? '' }));
    });
    server.on('upgrade', (req, socket, head) => {
      ended.push(hijack({ req, socket, head }, upstream, { path: '/attach', signal }));
    });
    const front = await startFrontServer(server);
    cleanups.push(
      () => front.close(),
      async () => {
        for (const { socket } of connections) socket.destroy();
        await new Promise((resolve) => engine.close(resolve));
        await rm(directory, { recursive: true });
      },
    );
    const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const asked = async (index: number): Promise<RawConnection> => {
      const connection = await until('the engine is asked', () => connections[index]);
      await connection.receives('\r\n\r\n');
      assert.match(connection.text, /\r\nhost: docker\r\n/i);
      return connection;
    };

    const client = await RawConnection.open(front.port);
    client.send('GET /x HTTP/1.1\r\nHost: m\r\n\r\n');
    (await asked(0)).send(ok);
    await client.receives('\r\n\r\nok');

    const answer = exchange(upstream, { method: 'GET', path: '/y', signal });
    (await asked(1)).send(ok);
    assert.equal((await answer).body.toString(), 'ok');

    client.send('POST /attach HTTP/1.1\r\nHost: m\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    const remote = await asked(2);
    remote.send('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    await client.receives('101 UPGRADED');
    client.socket.end('input');
    await remote.ends();
    assert.equal(remote.body, 'input');
    remote.socket.end('output');
    await client.ends();
    assert.match(client.text, /\r\n\r\noutput$/);
    await Promise.all(ended);
  });
});
