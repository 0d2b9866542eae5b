// Where the manager listens, and how it ends: every stream is over and the process gone within 10 s of SIGTERM.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'mocha';
import { field } from '../support/document.ts';
import { countConnectionsTo } from '../support/rig/connections.ts';
import { kindVariable, rigKindNamed, stateDirectory } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { until } from '../support/until.ts';

describe('a manager with several addresses', () => {
  const kind = rigKindNamed(process.env[kindVariable] ?? 'test');
  const number = Number(kind.subnet.split('.')[1]);
  const socket = `${stateDirectory(kind)}/shoal.sock`;
  const addresses = [`tcp://127.${number}.0.1:2375`, `tcp://[::1]:${23_000 + number}`, `unix://${socket}`];
  let rig: Rig;

  before(async () => {
    rig = await startRig({ engines: ['20.10', '28.5'], manager: { listen: addresses } });
    const talks = ['busybox', 'sh', '-c', 'while :; do date; sleep 1; done'];
    assert.equal((await rig.docker(['run', '-d', '--name', 'talker', ...talks])).code, 0);
  });

  after(async () => {
    await rig.stop();
  });

  for (const address of addresses) {
    it(`serves the stock client at ${address.replace(/\d+\.0\.1|\d{5}|\/var.*/, '*')}`, async () => {
      const names = await rig.docker(['ps', '--format', '{{.Names}}'], { env: { DOCKER_HOST: address } });
      assert.deepEqual(names, { code: 0, stdout: 'talker\n', stderr: '' });
      const echoed = await rig.docker(['exec', '-i', 'talker', 'cat'], {
        env: { DOCKER_HOST: address },
        input: 'through',
      });
      assert.deepEqual(echoed, { code: 0, stdout: 'through', stderr: '' });
    });
  }

  it('logs one line that tells all of them', () => {
    const lines = rig.manager
      .log()
      .split('\n')
      .filter((line) => line.includes('ready'));
    assert.equal(lines.length, 1);
    for (const address of [`tcp://${rig.manager.address}`, ...addresses])
      assert.ok(lines[0]!.includes(address), lines[0]);
  });

  it('keeps its unix socket from strangers', () => {
    assert.equal(statSync(socket).mode & 0o007, 0);
  });

  it('ends within 10 s of SIGTERM, and every stream with it', async () => {
    const streams = await Promise.all([
      openStream('GET', '/events'),
      openStream('GET', '/containers/talker/logs?follow=1&stdout=1'),
      openStream('GET', '/containers/talker/stats'),
      openStream('POST', '/containers/talker/wait'),
    ]);
    const clients = [
      ['exec', '-i', 'talker', 'cat'],
      ['attach', 'talker'],
      ['logs', '-f', 'talker'],
    ].map((args) => rig.clients.spawnDocker(args));
    const left = clients.map((client) => once(client, 'close'));
    const silent = new Set(clients);
    for (const client of clients) {
      client.stdout?.once('data', () => silent.delete(client));
      client.stdin?.write('through cat\n');
    }
    await until('every client has shown something', () => silent.size === 0);

    const start = performance.now();
    const code = await rig.manager.term();
    const tookMs = performance.now() - start;

    assert.equal(code, 0);
    assert.ok(tookMs < 10_000, `it ended after ${Math.round(tookMs)} ms`);
    await until('every stream is over', () => streams.every((stream) => stream.closed));
    await Promise.all(left);
    assert.equal(existsSync(socket), false);
    assert.deepEqual(
      rig.engines.map((engine) => countConnectionsTo(engine.address)),
      [0, 0],
    );
  });

  it('serves again at the same addresses, the containers as they were', async () => {
    await rig.manager.start();
    await rig.manager.waitUntilHealthy(2);
    const { json } = await rig.api('GET', '/containers/talker/json');
    assert.equal(field(json, 'State', 'Running'), true);
    assert.equal((await rig.docker(['ps'], { env: { DOCKER_HOST: `unix://${socket}` } })).code, 0);
  });

  it('starts over a socket that a killed manager left behind', async () => {
    await rig.manager.kill();
    assert.equal(existsSync(socket), true);
    await rig.manager.start();
    await rig.manager.waitUntilHealthy(2);
    const { code, stdout } = await rig.docker(['ps', '-q'], { env: { DOCKER_HOST: `unix://${socket}` } });
    assert.equal(code, 0);
    assert.notEqual(stdout, '');
  });

  /** Resolves with the head of the answer. */
  async function openStream(method: string, path: string): Promise<IncomingMessage> {
    const outgoing = rig.manager.request(path, { method }).end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    incoming.on('error', () => undefined);
    incoming.resume();
    return incoming;
  }
});
