import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { EmbeddedClient } from '../../discovery/embedded-client.ts';
import { embeddedRoutes } from '../../discovery/embedded-routes.ts';
import { openEmbeddedRegistry } from '../../discovery/embedded.ts';
import type { EmbeddedRegistry } from '../../discovery/embedded.ts';
import { listMembers } from '../../discovery/list-members.ts';
import { ApiError } from '../../src/common/errors.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { close, countConnections, listen } from '../support/http-servers.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();
const never = new AbortController().signal;
const longTtlMs = 60_000;

describe('a manager that is its own registry', () => {
  let registry: EmbeddedRegistry;
  let server: Server;
  let port: number;
  let client: EmbeddedClient;

  beforeEach(async () => {
    registry = await openEmbeddedRegistry({ logger });
    const routes = embeddedRoutes(registry);
    server = createServer((req, res) => {
      if (!routes(req, res)) res.writeHead(418).end();
    });
    port = await listen(server);
    client = new EmbeddedClient({ manager: { host: '127.0.0.1', port }, logger });
  });

  afterEach(async () => {
    await registry.stop();
    await close(server);
  });

  it('lists what agents announced, in the order of the addresses', async () => {
    await client.register({ address: '10.0.0.2:2375', alive: true }, longTtlMs, never);
    await client.register({ address: '[FE80::1]:2375', alive: false }, longTtlMs, never);

    assert.deepEqual(await listMembers(client, 5_000), [
      { address: '10.0.0.2:2375', alive: true },
      { address: '[fe80::1]:2375', alive: false },
    ]);
  });

  it('tells its watchers of every change, and keeps an engine whose time lapsed as a member that is not alive', async () => {
    const stop = new AbortController();
    const sets = registry.watch(stop.signal)[Symbol.asyncIterator]();
    assert.deepEqual((await sets.next()).value, []);

    await client.register({ address: 'a:1', alive: true }, 100, never);

    assert.deepEqual((await sets.next()).value, [{ address: 'a:1', alive: true }]);
    assert.deepEqual((await sets.next()).value, [{ address: 'a:1', alive: false }]);
    await client.deregister({ address: 'a:1', alive: true }, never);
    assert.deepEqual((await sets.next()).value, []);
    stop.abort();
  });

  it('shows changes to a client that watches', async () => {
    const stop = new AbortController();
    const sets = client.watch(stop.signal)[Symbol.asyncIterator]();
    assert.deepEqual((await sets.next()).value, []);

    registry.announce({ address: 'a:1', alive: true }, longTtlMs);

    assert.deepEqual((await sets.next()).value, [{ address: 'a:1', alive: true }]);
    stop.abort();
    assert.equal((await sets.next()).done, true);
  });

  it('keeps a connection open to tell an agent that its announcement is lost', async () => {
    const entry = { address: 'a:1', alive: true };
    await client.register(entry, longTtlMs, never);
    let isLost = false;
    const lost = client.untilLost(entry, never).then(() => {
      isLost = true;
    });
    await until('the connection is open', () => countConnections(server));

    assert.equal(isLost, false);
    registry.withdraw('a:1');
    await lost;
  });

  it('ends such a connection when it stops, and when the agent gives up', async () => {
    const entry = { address: 'a:1', alive: true };
    await client.register(entry, longTtlMs, never);
    const stop = new AbortController();
    const given = client.untilLost(entry, stop.signal);
    const lost = client.untilLost(entry, never);
    await until('both connections are open', async () => (await countConnections(server)) === 2);

    stop.abort();
    await given;
    await registry.stop();
    await lost;

    await until('no connection is left', async () => (await countConnections(server)) === 0);
  });

  it('tells at once that nothing is known of an engine that was never announced', async () => {
    await client.untilLost({ address: 'a:1', alive: true }, never);
  });

  it('leaves every other path alone', async () => {
    for (const path of ['/', '/info', '/shoal/v1/nodesx', '/v1.41/shoal/v1/nodes']) {
      assert.equal((await call('GET', path)).status, 418);
    }
  });

  const refusals = [
    { title: 'a body that is no JSON', method: 'PUT', path: '/a%3A1', body: '{', status: 400 },
    { title: 'a body that is no object', method: 'PUT', path: '/a%3A1', body: '7', status: 400 },
    { title: 'no time', method: 'PUT', path: '/a%3A1', body: '{}', status: 400 },
    { title: 'a time that is too short', method: 'PUT', path: '/a%3A1', body: '{"ttlMs":1}', status: 400 },
    { title: 'a time without end', method: 'PUT', path: '/a%3A1', body: '{"ttlMs":1e99}', status: 400 },
    { title: 'alive that is no boolean', method: 'PUT', path: '/a%3A1', body: '{"ttlMs":1000,"alive":1}', status: 400 },
    { title: 'an address without a port', method: 'PUT', path: '/a', body: '{"ttlMs":1000}', status: 400 },
    { title: 'a path that cannot be decoded', method: 'PUT', path: '/%zz', body: '{"ttlMs":1000}', status: 400 },
    { title: 'an unknown method', method: 'POST', path: '/a%3A1', body: '', status: 405 },
    { title: 'to delete them all', method: 'DELETE', path: '', body: '', status: 405 },
    { title: 'an engine that is no member', method: 'GET', path: '/a%3A1', body: undefined, status: 404 },
    { title: 'a body that is too long', method: 'PUT', path: '/a%3A1', body: 'x'.repeat(70_000), status: 413 },
  ];
  for (const { title, method, path, body, status } of refusals) {
    it(`refuses ${title} with ${status}`, async () => {
      const answer = await call(method, `/shoal/v1/nodes${path}`, body);

      assert.equal(answer.status, status);
      assert.equal(typeof (JSON.parse(answer.body) as { message?: unknown }).message, 'string');
      assert.deepEqual(registry.entries, []);
    });
  }

  it('survives an agent that hangs up in the middle of its announcement', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('PUT /shoal/v1/nodes/a%3A1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"ttl');
    await until('the request is open', () => countConnections(server));
    socket.destroy();

    await until('the connection is gone', async () => (await countConnections(server)) === 0);
    assert.deepEqual(registry.entries, []);
  });

  it('gives its client the status of a refusal', async () => {
    await assert.rejects(
      client.register({ address: 'a:1', alive: true }, 1, never),
      (error) => error instanceof ApiError && error.status === 400,
    );
  });

  it('is reported as silent within the time of a listing when nobody listens', async () => {
    await close(server);

    await assert.rejects(listMembers(client, 300), (error) => error instanceof ApiError && error.status === 504);
  });

  async function call(method: string, path: string, body?: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { connection: 'close' },
      ...(body === undefined || body === '' ? {} : { body }),
    });
    return { status: response.status, body: await response.text() };
  }
});

describe('the saved members of a registry', () => {
  let folder: string;
  let stateFile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-registry-'));
    stateFile = join(folder, 'members.json');
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('are members again after a restart, alive only once they are announced', async () => {
    const before = await openEmbeddedRegistry({ logger, stateFile });
    for (const address of ['a:1', 'b:1', 'c:1']) before.announce({ address, alive: true }, longTtlMs);
    before.withdraw('b:1');
    await before.stop();

    const after = await openEmbeddedRegistry({ logger, stateFile });
    after.announce({ address: 'c:1', alive: true }, longTtlMs);
    await after.stop();

    assert.deepEqual(after.entries, [
      { address: 'a:1', alive: false },
      { address: 'c:1', alive: true },
    ]);
  });

  it('are on disk without a stop, so that a killed manager finds them too', async () => {
    const registry = await openEmbeddedRegistry({ logger, stateFile });
    registry.announce({ address: 'a:1', alive: true }, longTtlMs);

    await until('the file names the engine', async () =>
      (await readFile(stateFile, 'utf8').catch(() => '')).includes('a:1'),
    );
    await registry.stop();
  });

  it('that cannot be read are left behind', async () => {
    for (const text of ['', '{', '[]', '{"addresses":[7]}']) {
      await writeFile(stateFile, text);
      const registry = await openEmbeddedRegistry({ logger, stateFile });

      assert.deepEqual(registry.entries, []);
      await registry.stop();
    }
  });
});
