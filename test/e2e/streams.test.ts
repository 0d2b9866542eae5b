// A client that leaves a stream takes the engine's connection with it; an engine that leaves ends the client's stream.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'mocha';
import { text } from '../support/document.ts';
import { countConnectionsTo } from '../support/rig/connections.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

const clients = 200;
/** So many more may wait for further calls than before, because several calls were under way at once. */
const idleConnections = 6;
/** A second is what an idle machine needs at most; others may keep this one busy. */
const goneWithinMs = 3_000;

describe('streams without end', () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig({ engines: ['20.10', '28.5', '20.10'] });
    for (const number of [1, 2, 3]) {
      const talks = ['busybox', 'sh', '-c', 'while :; do date; sleep 1; done'];
      const { code, stderr } = await rig.docker(['run', '-d', '--name', `talker-${number}`, ...talks]);
      assert.equal(code, 0, stderr);
    }
  });

  after(async () => {
    await rig.stop();
  });

  for (const [what, path] of [
    ['logs', (number: number) => `/containers/talker-${(number % 3) + 1}/logs?follow=1&stdout=1&tail=1`],
    ['stats', (number: number) => `/containers/talker-${(number % 3) + 1}/stats?stream=1`],
    ['events', () => `/events`],
  ] as const) {
    it(`of ${what} leave no connection to an engine soon after ${clients} clients left`, async () => {
      const connectionsBefore = await quietConnections();
      const streams = await Promise.all(Array.from({ length: clients }, (_, number) => openStream(path(number))));
      try {
        if (what === 'events') await rig.docker(['exec', 'talker-1', 'true']);
        await until('every client has read something', () => streams.every((stream) => stream.bytes > 0), 30_000);
        if (what !== 'events') assert.ok(connections() >= clients, `only ${connections()} connections`);
      } finally {
        for (const stream of streams) stream.leave();
      }
      const left = performance.now();
      await until('the connections are gone', () => connections() <= connectionsBefore + idleConnections);
      const tookMs = performance.now() - left;

      assert.ok(tookMs < goneWithinMs, `the connections are gone after ${Math.round(tookMs)} ms`);
      assert.equal((await rig.api('GET', '/containers/talker-1/top')).status, 200);
    });
  }

  it('of stock clients leave no connection to an engine after the clients were killed', async () => {
    const connectionsBefore = await quietConnections();
    const commands = [
      ['logs', '-f', 'talker-1'],
      ['stats', 'talker-2'],
      ['exec', '-i', 'talker-2', 'cat'],
      ['attach', 'talker-3'],
    ];
    const children = [...commands, ...commands, ...commands].map((args) => rig.clients.spawnDocker(args));
    const closed = children.map((child) => once(child, 'close'));
    const silent = new Set(children);
    for (const child of children) {
      child.stdout?.once('data', () => silent.delete(child));
      child.stdin?.write('through cat\n');
    }
    await until('every client has shown something', () => silent.size === 0, 30_000);
    assert.ok(connections() >= children.length, `only ${connections()} connections`);

    for (const child of children) child.kill('SIGKILL');
    await Promise.all(closed);

    await until('the connections are gone', () => connections() <= connectionsBefore + idleConnections);
  });

  it('end when the container ends', async () => {
    const created = await rig.api('POST', '/containers/create', {
      Image: 'busybox',
      Cmd: ['sh', '-c', 'echo only line; sleep 3600'],
    });
    const id = text(created.json, 'Id');
    assert.equal((await rig.api('POST', `/containers/${id}/start`)).status, 204);
    const logs = await openStream(`/containers/${id}/logs?follow=1&stdout=1`);
    await until('the line is read', () => logs.bytes > 0);
    assert.equal((await rig.api('POST', `/containers/${id}/kill`)).status, 204);
    await until('the stream ends', () => logs.isOver);
    assert.equal(logs.error, undefined);
  });

  it('end, and not as if all were said, when the engine dies', async () => {
    const { json } = await rig.api('GET', '/containers/talker-3/json');
    const engine = rig.engines.find(({ name }) => name === text(json, 'Node', 'Name'))!;
    const logs = await openStream('/containers/talker-3/logs?follow=1&stdout=1&tail=1');
    const events = await openStream('/events');
    await until('lines are read', () => logs.bytes > 0);

    await engine.kill();

    await until('the stream ends', () => logs.isOver);
    assert.ok(logs.error !== undefined, 'the stream ended without an error');
    assert.equal(events.isOver, false);
    events.leave();
  });

  function connections(): number {
    return rig.engines.reduce((sum, engine) => sum + countConnectionsTo(engine.address), 0);
  }

  /** The count when no call is under way. */
  async function quietConnections(): Promise<number> {
    let count = connections();
    let since = performance.now();
    await until(
      'the number of connections rests',
      () => {
        if (connections() === count) return performance.now() - since > 300;
        count = connections();
        since = performance.now();
        return false;
      },
      20_000,
    );
    return count;
  }

  /** Resolves with the head of the answer. */
  async function openStream(path: string): Promise<Stream> {
    const outgoing = rig.manager.request(path).end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(incoming.statusCode, 200);
    return new Stream(incoming);
  }
});

class Stream {
  bytes = 0;
  isOver = false;
  error: Error | undefined;
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    incoming.on('data', (chunk: Buffer) => (this.bytes += chunk.length));
    incoming.on('error', (error) => (this.error = error));
    incoming.on('close', () => (this.isOver = true));
  }

  leave(): void {
    this.#incoming.destroy();
  }
}
