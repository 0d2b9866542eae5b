// A manager that cannot reach the primary, though the store says that there is one: the network between them swallows
// what is sent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { Replica } from '../../src/api/replica.ts';
import { ApiError } from '../../src/common/errors.ts';
import { TaskSet } from '../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { PlainClient } from '../support/plain-client.ts';
import { until } from '../support/until.ts';

const holdMs = 400;

describe('a manager that cannot reach the primary', () => {
  const swallowed = new Set<net.Socket>();
  let primary: net.Server;
  let manager: http.Server;
  let replica: Replica;
  let tasks: TaskSet;
  let client: PlainClient;

  beforeEach(async () => {
    primary = net.createServer((socket) => {
      swallowed.add(socket);
      socket.on('error', () => undefined).resume();
    });
    tasks = new TaskSet(createSilentLogger());
    await listening(primary);
    const address = `127.0.0.1:${portOf(primary)}`;
    const lost = new AbortController().signal;
    const primacy = {
      isPrimary: () => false,
      term: () => 1,
      primary: () => ({ address, term: 1, lost }),
      subscribe: () => () => undefined,
    };
    replica = new Replica({ primacy, tasks, holdMs, lookEveryMs: 20, catchUp: () => Promise.resolve() });
    manager = http.createServer((req, res) => {
      replica.pass(req, res, { headers: {}, signal: new AbortController().signal }).then(
        (own) => res.end(own === undefined ? '' : '"its own word"'),
        (error: unknown) => {
          res.statusCode = error instanceof ApiError ? error.status : 500;
          res.end(JSON.stringify(error instanceof Error ? error.message : ''));
        },
      );
    });
    await listening(manager);
    client = new PlainClient(portOf(manager), 20_000);
  });

  afterEach(async () => {
    client.close();
    replica.stop();
    await tasks.stop();
    for (const socket of swallowed) socket.destroy();
    manager.close();
    primary.close();
  });

  it('says of a change that it may have been carried out, and answers reads by itself', async () => {
    const { status, body } = await client.call('POST', '/containers/create', { Image: 'busybox' });
    assert.equal(status, 503);
    assert.match(String(body), /may have been carried out: .*does not answer any more/);
    assert.deepEqual(await client.call('GET', '/containers/json'), { status: 200, body: 'its own word' });
  });

  it('lets nobody wait anew once the time is over', async () => {
    await client.call('GET', '/containers/json');
    primary.close();
    for (const socket of swallowed) socket.destroy();
    await until('a change is refused at once', async () => {
      const askedMs = performance.now();
      const { status } = await client.call('POST', '/containers/create', { Image: 'busybox' });
      assert.equal(status, 503);
      return performance.now() - askedMs < holdMs / 2;
    });
  });
});

async function listening(server: net.Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}
