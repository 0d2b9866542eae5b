// Many creates at once on a manager with many nodes: nothing is given twice, and nobody is refused who could be served.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { ApiError } from '../../src/common/errors.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openFilters } from '../../src/scheduler/filters/index.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../src/scheduler/strategies/index.ts';
import { startConnectedCluster } from '../support/connected-cluster.ts';
import type { ConnectedCluster } from '../support/connected-cluster.ts';

const nodeCount = 50;
const mib = 1024 ** 2;
/** Ten containers of 64 MiB fit, eleven do not. */
const memoryBytes = 700 * mib;

describe('fifty nodes', () => {
  let connected: ConnectedCluster;

  before(async function () {
    this.timeout(60_000);
    // Exactly what the nodes have, and deadlines for a process that plays fifty engines besides.
    const none = { overcommit: { cpu: 0, memory: 0 } };
    connected = await startConnectedCluster(
      Array.from({ length: nodeCount }, () => ({ memoryBytes })),
      {
        engineFactory: (address) => new Engine({ address, logger: createSilentLogger() }),
        scheduler: new Scheduler({ filters: openFilters([], none), strategy: openStrategy('spread', none) }),
      },
    );
  });

  after(() => connected.stop());

  /** Refusals other than for want of room fail the test. */
  async function createMany(count: number, body: object): Promise<{ readonly refusals: readonly string[] }> {
    const results = await Promise.allSettled(Array.from({ length: count }, () => connected.create(body)));
    const refusals = results.flatMap((result) => {
      if (result.status === 'fulfilled') return [];
      const reason: unknown = result.reason;
      assert.ok(reason instanceof ApiError && reason.status === 409, String(reason));
      return [reason.message];
    });
    return { refusals };
  }

  function removeAll(): void {
    for (const engine of connected.simulated) for (const id of [...engine.containers.keys()]) engine.removeDirectly(id);
  }

  it('serve fifty of two hundred creates at once for one host port, and refuse the others with the reason', async () => {
    const { refusals } = await createMany(200, { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '80' }] } } });
    assert.deepEqual(
      connected.simulated.map(({ containers }) => containers.size),
      Array.from({ length: nodeCount }, () => 1),
    );
    assert.equal(refusals.length, 150);
    for (const message of refusals) {
      assert.equal(message.match(/\n {2}node-\d+: port 80\/tcp is taken/g)?.length, nodeCount, message);
    }
    removeAll();
  }).timeout(60_000);

  it('take as many of a thousand creates at once as their memory holds, and not one more', async () => {
    const { refusals } = await createMany(1_000, { HostConfig: { Memory: 64 * mib } });
    assert.deepEqual(
      connected.simulated.map(({ containers }) => containers.size),
      Array.from({ length: nodeCount }, () => 10),
    );
    assert.equal(refusals.length, 1_000 - nodeCount * 10);
    assert.match(refusals[0] ?? '', /^no resources available to schedule container\n\[64MiB of memory\]\n/);
  }).timeout(60_000);
});
