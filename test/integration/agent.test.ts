import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { DiscoveryBackend } from '../../discovery/backend.ts';
import { EmbeddedClient } from '../../discovery/embedded-client.ts';
import { embeddedRoutes } from '../../discovery/embedded-routes.ts';
import { openEmbeddedRegistry } from '../../discovery/embedded.ts';
import type { EmbeddedRegistry } from '../../discovery/embedded.ts';
import { Agent } from '../../src/agent/agent.ts';
import { createEngineProbe } from '../../src/agent/engine-probe.ts';
import { NodeFacts } from '../../src/agent/node-facts.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { close, countConnections, listen } from '../support/http-servers.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();
const address = '10.0.0.1:2375';

describe('an agent beside an engine', () => {
  let engine: Server;
  let enginePort: number;
  let answerPing: RequestListener;
  let manager: Server;
  let managerPort: number;
  let registry: EmbeddedRegistry;
  let agent: Agent;

  beforeEach(async () => {
    answerPing = (_req, res) => res.end('OK');
    engine = createServer((req, res) => {
      answerPing(req, res);
    });
    enginePort = await listen(engine, 0);
    await startManager(0);
  });

  afterEach(async () => {
    await agent.stop();
    await stopManager();
    await close(engine);
  });

  async function startManager(port: number): Promise<void> {
    registry = await openEmbeddedRegistry({ logger });
    const routes = embeddedRoutes(registry);
    manager = createServer((req, res) => {
      if (!routes(req, res)) res.writeHead(404).end();
    });
    managerPort = await listen(manager, port);
  }

  async function stopManager(): Promise<void> {
    await registry.stop();
    await close(manager);
  }

  function client(): EmbeddedClient {
    return new EmbeddedClient({ manager: { host: '127.0.0.1', port: managerPort }, logger });
  }

  function startAgent(options: {
    heartbeatMs: number;
    ttlMs: number;
    backend?: DiscoveryBackend;
    facts?: NodeFacts;
  }): void {
    agent = new Agent({
      address,
      backend: client(),
      probe: createEngineProbe({ host: '127.0.0.1', port: enginePort }, 300),
      delayMs: 0,
      logger,
      ...options,
    });
    agent.start();
  }

  const shows = (alive: boolean) => () => registry.entries.some((entry) => entry.alive === alive);

  it('announces the engine and withdraws it when it stops', async () => {
    startAgent({ heartbeatMs: 60_000, ttlMs: 120_000 });
    await until('the engine is announced', shows(true));
    assert.deepEqual(registry.entries, [{ address, alive: true }]);

    await agent.stop();

    assert.deepEqual(registry.entries, []);
  });

  it('tells at once what has changed of its node', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-agent-'));
    const labelFile = join(folder, 'labels');
    try {
      await writeFile(labelFile, 'zone=a\n');
      const reserve = { reservedNanoCpus: 0, reservedMemoryBytes: 0 };
      const facts = new NodeFacts({ id: 'an-id', labels: {}, labelFile, ...reserve, logger });
      startAgent({ heartbeatMs: 60_000, ttlMs: 120_000, facts });
      await until('the engine is announced', shows(true));
      assert.deepEqual(registry.entries, [{ address, alive: true, facts: '{"id":"an-id","labels":{"zone":"a"}}' }]);
      const listed = client().watch(AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
      assert.deepEqual((await listed.next()).value, registry.entries);
      await writeFile(labelFile, 'zone=b\n');
      await until('the change is told', () => registry.entries[0]?.facts?.includes('"zone":"b"'), 3_000);
      await close(engine);
      await until('the engine is announced as dead', shows(false));
      assert.match(registry.entries[0]?.facts ?? '', /an-id/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('announces the engine again before its time is over', async () => {
    let announcements = 0;
    const backend: DiscoveryBackend = {
      name: 'counting',
      watch: (signal) => registry.watch(signal),
      register: (entry, ttlMs) => {
        announcements += 1;
        return registry.register(entry, ttlMs);
      },
      deregister: (entry) => registry.deregister(entry),
    };
    startAgent({ heartbeatMs: 50, ttlMs: 30_000, backend });

    await until('five announcements', () => announcements >= 5);
  });

  it('says at once that the engine does not answer, and at once that it answers again', async () => {
    startAgent({ heartbeatMs: 100, ttlMs: 60_000 });
    await until('the engine is alive', shows(true));

    await close(engine);
    await until('the engine is announced as dead', shows(false));
    await listen(engine, enginePort);
    await until('the engine is alive again', shows(true));
  });

  const sick: readonly { title: string; answer: RequestListener }[] = [
    { title: 'hangs', answer: () => undefined },
    { title: 'answers 500', answer: (_req, res) => res.writeHead(500).end() },
    { title: 'hangs up', answer: (req) => req.socket.destroy() },
  ];
  for (const { title, answer } of sick) {
    it(`does not vouch for an engine that ${title}`, async () => {
      answerPing = answer;
      startAgent({ heartbeatMs: 100, ttlMs: 60_000 });

      await until('the engine is announced as dead', shows(false));
    });
  }

  it('counts a ping as answered even when its body never ends', async () => {
    answerPing = (_req, res) => res.writeHead(200).write('O');
    startAgent({ heartbeatMs: 100, ttlMs: 60_000 });

    await until('the engine is alive', shows(true));
    await until('no connection is left at the engine', async () => (await countConnections(engine)) <= 1);
  });

  it('joins the next manager soon after the first is gone, long before its heartbeat', async () => {
    startAgent({ heartbeatMs: 600_000, ttlMs: 1_200_000 });
    await until('the engine is announced', shows(true));

    await stopManager();
    await startManager(managerPort);

    await until('the engine is announced to the new manager', shows(true), 5_000);
  });

  it('joins again when the registry has forgotten the engine', async () => {
    startAgent({ heartbeatMs: 600_000, ttlMs: 1_200_000 });
    await until('the engine is announced', shows(true));

    registry.withdraw(address);

    await until('the engine is announced again', shows(true), 5_000);
  });

  it('keeps trying while nobody listens, and stops within a second then', async () => {
    await stopManager();
    startAgent({ heartbeatMs: 1_000, ttlMs: 3_000 });
    await startManager(managerPort);
    await until('the engine is announced', shows(true));

    await stopManager();
    const start = performance.now();
    await agent.stop();
    assert.ok(performance.now() - start < 2_000);
  });

  it('stops within a second when the store hangs', async () => {
    const hang = (_entry: unknown, ...rest: readonly unknown[]): Promise<void> => {
      const signal = rest.at(-1);
      return new Promise((_resolve, reject) => {
        assert.ok(signal instanceof AbortSignal);
        signal.addEventListener('abort', () => {
          reject(new Error('given up'));
        });
      });
    };
    const backend: DiscoveryBackend = {
      name: 'hanging',
      watch: (signal) => registry.watch(signal),
      register: hang,
      deregister: hang,
    };
    startAgent({ heartbeatMs: 1_000, ttlMs: 3_000, backend });

    const start = performance.now();
    await agent.stop();

    assert.ok(performance.now() - start < 2_000);
  });

  it('may be stopped twice, and before its first announcement', async () => {
    startAgent({ heartbeatMs: 1_000, ttlMs: 3_000 });

    await Promise.all([agent.stop(), agent.stop()]);

    assert.deepEqual(registry.entries, []);
  });

  it('looks at an engine behind a unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-agent-'));
    const socketPath = join(folder, 'docker.sock');
    const local = createServer((_req, res) => res.end('OK'));
    await new Promise<void>((resolve) => local.listen(socketPath, resolve));
    agent = new Agent({
      address,
      backend: client(),
      probe: createEngineProbe({ socketPath }),
      heartbeatMs: 1_000,
      ttlMs: 3_000,
      delayMs: 10,
      logger,
    });
    agent.start();

    await until('the engine is alive', shows(true));
    await close(local);
    await rm(folder, { recursive: true, force: true });
  });
});
