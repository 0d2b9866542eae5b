// Nothing stays behind: what thousands of requests leave, many of them given up by their clients midway, is what a
// few left. Sockets, timers and memory of the manager are those of this process, the simulated engines' included.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setImmediate as tick, setTimeout as delay } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { after, before, describe, it } from 'mocha';
import { elements, text } from '../support/document.ts';
import { PlainClient } from '../support/plain-client.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const warmUpRequests = 2_000;
const requests = 10_000;
const clientsAtOnce = 24;
/** Sockets and timers of probes and refreshes, which may be under way at any moment. */
const comeAndGo = 4;
/** A leak of a kilobyte a request is more than this; what is remembered up to a limit is less. */
const heapToleranceBytes = 6 * 1024 * 1024;

interface Level {
  readonly sockets: number;
  readonly timers: number;
}

describe('ten thousand requests', () => {
  const random = new SeededRandom(20_261_121);
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => {
    warnings.push(warning);
  };
  let shoal: SimulatedCluster;
  let steadyId: string;

  before(async () => {
    process.on('warning', onWarning);
    shoal = await startSimulatedCluster({ engines: [{}, { apiVersion: '1.51' }] });
    steadyId = await shoal.run({ name: 'steady', body: { OpenStdin: true } });
    shoal.engineOf(steadyId).print(steadyId, 'first line\n');
  });

  after(async () => {
    process.off('warning', onWarning);
    await shoal.stop();
  });

  it('with a third of the clients hanging up leave no socket, timer, listener or memory', async function () {
    this.timeout(300_000);
    await play(warmUpRequests);
    const before = await lowestLevel();
    const heapBefore = await heapBytes();

    await play(requests - warmUpRequests);

    let level = before;
    await until('sockets and timers are as few as before', () => {
      level = currentLevel();
      return level.sockets <= before.sockets + comeAndGo && level.timers <= before.timers + comeAndGo;
    }).catch((error: unknown) => {
      throw new Error(`before: ${JSON.stringify(before)}, now: ${JSON.stringify(level)}`, { cause: error });
    });
    let grownBytes = 0;
    await until('the memory is as small as before', async () => {
      grownBytes = (await heapBytes()) - heapBefore;
      return grownBytes < heapToleranceBytes;
    }).catch((error: unknown) => {
      throw new Error(`the heap has grown by ${grownBytes} bytes`, { cause: error });
    });
    assert.deepEqual(warnings, []);
    for (const engine of shoal.engines) assert.equal(engine.eventStreams, 1, engine.name);
  });

  /** Sends at least so many requests, and ends as it began: with one container, and without clients. */
  async function play(count: number): Promise<void> {
    const client = new PlainClient(shoal.port, 30_000);
    let sent = 0;
    const one = async (): Promise<void> => {
      while (sent < count) {
        if (random.chance(1 / 3)) {
          sent += 1;
          await hangUp();
        } else if (random.chance(1 / 20)) {
          sent += 5;
          await liveAndDie(client);
        } else {
          sent += 1;
          const { status } = await client.call('GET', random.oneOf(reads) ?? '/_ping');
          assert.equal(status, 200);
        }
      }
    };
    await Promise.all(Array.from({ length: clientsAtOnce }, one));
    const { body } = await client.call('GET', '/containers/json?all=1');
    for (const id of elements(body).map((row) => text(row, 'Id'))) {
      if (id !== steadyId) await client.call('DELETE', `/containers/${id}?force=1`);
    }
    client.close();
  }

  async function liveAndDie(client: PlainClient): Promise<void> {
    const created = await client.call('POST', '/containers/create', { Image: 'busybox' });
    assert.equal(created.status, 201);
    const container = `/containers/${text(created.body, 'Id')}`;
    assert.equal((await client.call('POST', `${container}/start`)).status, 204);
    const exec = await client.call('POST', `${container}/exec`, { Cmd: ['true'], AttachStdout: true });
    assert.equal(exec.status, 201);
    assert.equal((await client.call('GET', `/exec/${text(exec.body, 'Id')}/json`)).status, 200);
    assert.equal((await client.call('DELETE', `${container}?force=1`)).status, 204);
  }

  /** Writes a request, perhaps not all of it, and goes at some moment before, during or after the answer. */
  async function hangUp(): Promise<void> {
    const bytes = (random.oneOf(abandoned) ?? '').replaceAll('STEADY', steadyId);
    const length = random.chance(1 / 4) ? random.between(1, bytes.length) : bytes.length;
    const socket = connect({ port: shoal.port, host: '127.0.0.1' });
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(bytes.slice(0, length));
    await delay(random.between(0, 12));
    if (random.chance(1 / 3)) socket.resetAndDestroy();
    else socket.destroy();
    await closed;
  }

  /** Without connections that wait in a pool: what is left is in use. */
  function currentLevel(): Level {
    for (const engine of shoal.engines) engine.closeIdleConnections();
    const active = process.getActiveResourcesInfo();
    const count = (...kinds: readonly string[]): number => active.filter((kind) => kinds.includes(kind)).length;
    return { sockets: count('TCPSocketWrap', 'TCPWRAP'), timers: count('Timeout', 'Immediate') };
  }

  /** The lowest of several looks: probes come and go. */
  async function lowestLevel(): Promise<Level> {
    let lowest = currentLevel();
    for (let look = 0; look < 40; look += 1) {
      await delay(25);
      const { sockets, timers } = currentLevel();
      lowest = { sockets: Math.min(lowest.sockets, sockets), timers: Math.min(lowest.timers, timers) };
    }
    return lowest;
  }
});

const reads = [
  '/_ping',
  '/version',
  '/info',
  '/containers/json?all=1',
  '/containers/json?filters=%7B%22name%22%3A%5B%22steady%22%5D%7D',
  '/containers/steady/json',
  '/containers/steady/top',
  '/containers/steady/logs?stdout=1',
  '/containers/steady/stats?stream=0',
  '/images/json',
  '/images/busybox/json',
  '/networks',
  '/volumes',
  '/nodes',
  '/system/df',
  '/events?since=1&until=2',
];

const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n';
const attach = 'POST /containers/STEADY/attach?stream=1&stdin=1&stdout=1&logs=1 HTTP/1.1\r\n';
const createBody = JSON.stringify({ Image: 'busybox', Labels: { filler: 'x'.repeat(2_000) } });
const json = 'Content-Type: application/json\r\n';
const upload = `Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n${'\0'.repeat(4_096)}\r\n`;

const abandoned = [
  `${attach}${upgrade}input`,
  `${attach}Host: x\r\nContent-Length: 0\r\n\r\ninput`,
  ...reads.map((path) => `GET ${path} HTTP/1.1\r\n\r\n`),
  'GET /events HTTP/1.1\r\n\r\n',
  'GET /containers/STEADY/logs?follow=1&stdout=1 HTTP/1.1\r\n\r\n',
  'GET /containers/STEADY/stats HTTP/1.1\r\n\r\n',
  'POST /containers/STEADY/wait HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
  `POST /containers/create HTTP/1.1\r\n${json}Content-Length: ${createBody.length}\r\n\r\n${createBody}`,
  'POST /images/create?fromImage=busybox&tag=latest HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
  `POST /images/load HTTP/1.1\r\n${upload}`,
  `POST /build?t=given-up HTTP/1.1\r\n${upload}`,
  `PUT /containers/STEADY/archive?path=/ HTTP/1.1\r\n${upload}`,
  `POST /session HTTP/1.1\r\nX-Docker-Expose-Session-Uuid: s\r\n${upgrade.replace('tcp', 'h2c')}`,
  `POST /grpc HTTP/1.1\r\n${upgrade.replace('tcp', 'h2c')}`,
];

/** The least after several collections: finalizers run between them. */
async function heapBytes(): Promise<number> {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  let least = Infinity;
  for (let round = 0; round < 6; round += 1) {
    collect();
    await tick();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}
