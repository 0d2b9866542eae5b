// What one client may hold of the manager: connections, raw streams, half-written heads, requests a second.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'mocha';
import { RawConnection } from '../support/raw-connection.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { startSimulatedCluster, type SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const mebibyte = 1024 * 1024;

describe('the limits of a client', () => {
  let shoal: SimulatedCluster;
  const log: string[] = [];
  const open: RawConnection[] = [];

  before(async () => {
    shoal = await startSimulatedCluster({
      engines: 1,
      server: { maxConnectionsPerClient: 5, logger: recordingLogger(log) },
    });
  });

  after(() => shoal.stop());

  afterEach(async () => {
    for (const { socket } of open) socket.destroy();
    await until('all are gone', () => open.every(({ isClosed }) => isClosed));
    open.splice(0);
  });

  function dial(localAddress = '127.0.0.1', port = shoal.port): RawConnection {
    const socket: Socket = connect({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true });
    const connection = new RawConnection(socket);
    open.push(connection);
    return connection;
  }

  async function isServed(connection: RawConnection): Promise<boolean> {
    connection.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(
      'it is served or not',
      () => connection.text.includes('OK') || connection.hasEnded || connection.isClosed,
    );
    return connection.text.includes('HTTP/1.1 200 OK');
  }

  it('are so many connections, and the others are served', async () => {
    const kept = Array.from({ length: 5 }, () => dial());
    for (const connection of kept) assert.equal(await isServed(connection), true);
    for (let attempt = 0; attempt < 3; attempt += 1) assert.equal(await isServed(dial()), false);
    assert.equal(await isServed(dial('127.0.0.2')), true);
    assert.deepEqual(
      log.filter((line) => line.includes('as many connections')).map((line) => line.includes('"127.0.0.1"')),
      [true],
    );
    kept[0]!.destroy();
    await until('there is room again', async () => await isServed(dial()));
  });

  it('count raw streams that nobody uses', async () => {
    const { id } = shoal.engine().createDirectly({ body: { OpenStdin: true } });
    await until('the manager knows the container', () => shoal.cluster.containers.find(id) !== undefined);
    const line = `POST /containers/${id}/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: x\r\n`;
    for (let count = 0; count < 5; count += 1) {
      const stream = dial('127.0.0.3');
      stream.write(`${line}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
      await stream.untilText('101 UPGRADED');
    }
    assert.equal(await isServed(dial('127.0.0.3')), false);
    for (const stream of open) stream.destroy();
    await until('there is room again', async () => await isServed(dial('127.0.0.3')));
  });

  it('end a head that does not come to its end, however busily', async () => {
    const hasty = await startSimulatedCluster({ engines: 1, server: { headTimeoutMs: 500 } });
    const slow = dial('127.0.0.1', hasty.port);
    slow.write('GET /_ping HTTP/1.1\r\n');
    const drip = setInterval(() => {
      slow.write('X: y\r\n');
    }, 50);
    try {
      await slow.untilText('408 Request Timeout');
    } finally {
      clearInterval(drip);
      await hasty.stop();
    }
  });

  it('keep a head from growing without end', async () => {
    const long = dial();
    long.write(`GET /_ping HTTP/1.1\r\nX: ${'y'.repeat(2 * mebibyte)}`);
    await long.untilText('HTTP/1.1 431');
  });

  it('are so many requests a second, where that is asked for', async () => {
    const strict = await startSimulatedCluster({ engines: 1, server: { maxRequestsPerSecond: 1 } });
    const statuses: number[] = [];
    for (let count = 0; count < 30; count += 1) statuses.push((await fetch(`${strict.url}/_ping`)).status);
    const refused = await fetch(`${strict.url}/_ping`);
    const body = (await refused.json()) as { readonly message?: string };
    await strict.stop();
    assert.deepEqual(statuses.slice(0, 2), [200, 200]);
    assert.ok(statuses.filter((status) => status === 429).length > 10, statuses.join(' '));
    if (refused.status === 429) assert.match(body.message ?? '', /more than 1 requests a second from 127\.0\.0\.1/);
  });
});
