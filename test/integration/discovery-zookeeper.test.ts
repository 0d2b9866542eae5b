// A session with a ZooKeeper server that does not behave: no wait is without end, and no connection is left.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { ZooKeeperSession } from '../../discovery/zookeeper/session.ts';
import { WireWriter } from '../../discovery/zookeeper/wire.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;

describe('a session with ZooKeeper', () => {
  let server: Server;
  let sockets: Set<Socket>;
  /** What the server says to the first message of a client. */
  let greeting: Buffer | undefined;

  beforeEach(async () => {
    sockets = new Set();
    greeting = new WireWriter().int32(0).int32(150).int64(7n).bytes(Buffer.alloc(16)).frame();
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => {
        if (greeting) socket.write(greeting);
      });
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  function open(signal = never): Promise<ZooKeeperSession> {
    const { port } = server.address() as AddressInfo;
    const ignore = (): void => undefined;
    const address = { host: '127.0.0.1', port };
    const options = { address, tls: undefined, credentials: {}, timeoutMs: 150, onChange: ignore, onOver: ignore };
    return ZooKeeperSession.open(options, signal);
  }

  async function untilNobodyIsConnected(): Promise<void> {
    await until('the server has no connection', () => sockets.size === 0);
  }

  it('is over, with all that waits, when the server says nothing any more', async () => {
    const session = await open();
    assert.equal(session.id, 7n);
    await assert.rejects(session.children('/x'), /zookeeper is silent/);
    assert.match((await session.ended).message, /silent/);
    assert.ok(session.isOver);
    await assert.rejects(session.stat('/x'), /is over/);
    await untilNobodyIsConnected();
  });

  it('does not come about when the caller gives up on a server that hangs', async () => {
    greeting = undefined;
    const stop = new AbortController();
    const opening = assert.rejects(open(stop.signal), /did not open a session/);
    await until('the server is asked', () => sockets.size === 1);
    stop.abort();
    await opening;
    await untilNobodyIsConnected();
  });

  it('does not come about when the server refuses it or talks nonsense', async () => {
    greeting = new WireWriter().int32(0).int32(0).int64(0n).bytes(Buffer.alloc(16)).frame();
    await assert.rejects(open(), /refuses a session/);
    greeting = Buffer.from('HTTP/1.1 400 Bad Request\r\n');
    await assert.rejects(open(), /senseless length/);
    await untilNobodyIsConnected();
  });

  it('is closed though the server does not answer', async () => {
    const session = await open();
    const waiting = assert.rejects(session.stat('/x'), /is closed/);
    session.close();
    session.close();
    await waiting;
    await untilNobodyIsConnected();
  });
});
