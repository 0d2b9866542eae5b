import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { PlainClient } from '../support/plain-client.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { startSimulatedCluster } from '../support/simulated-cluster.ts';
import type { SimulatedCluster } from '../support/simulated-cluster.ts';

interface Row {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
}

const lanes = 10;

describe('reading your own writes', () => {
  let shoal: SimulatedCluster;
  let client: PlainClient;

  before(async () => {
    shoal = await startSimulatedCluster({ engines: 3 });
    client = new PlainClient(shoal.port, 20_000);
  });

  after(async () => {
    client.close();
    await shoal.stop();
  });

  /** The row of that container in the complete list, and what its inspect says. */
  async function look(id: string): Promise<{ readonly row: Row | undefined; readonly state: string | undefined }> {
    const filters = encodeURIComponent(JSON.stringify({ id: [id] }));
    const [listed, inspected] = await Promise.all([
      client.call('GET', `/containers/json?all=1&filters=${filters}`),
      client.call('GET', `/containers/${id}/json`),
    ]);
    const found = inspected.body as { readonly State?: { readonly Status: string } };
    return { row: (listed.body as Row[]).find(({ Id }) => Id === id), state: found.State?.Status };
  }

  async function change(method: string, path: string, status: number): Promise<void> {
    const answer = await client.call(method, path);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  }

  /** Six writes, each followed by a look. */
  async function live(name: string): Promise<number> {
    const created = await client.call('POST', `/containers/create?name=${name}`, { Image: 'busybox' });
    const { Id: id } = created.body as { readonly Id: string };
    const steps: readonly (readonly [string, string, string, string])[] = [
      ['POST', `/containers/${name}/start`, 'running', name],
      ['POST', `/containers/${id}/rename?name=${name}-new`, 'running', `${name}-new`],
      ['POST', `/containers/${name}-new/pause`, 'paused', `${name}-new`],
      ['POST', `/containers/${name}-new/unpause`, 'running', `${name}-new`],
      ['POST', `/containers/${id}/kill`, 'exited', `${name}-new`],
    ];
    assert.equal((await look(id)).row?.State, 'created');
    for (const [method, path, state, shownName] of steps) {
      await change(method, path, 204);
      const seen = await look(id);
      assert.equal(seen.row?.State, state, path);
      assert.equal(seen.state, state, path);
      assert.equal(seen.row.Names[0], `/${shownName}`, path);
    }
    await change('DELETE', `/containers/${id}`, 204);
    assert.deepEqual(await look(id), { row: undefined, state: undefined });
    return steps.length + 2;
  }

  it('shows a thousand writes at once, whatever else the engines tell meanwhile', async () => {
    const random = new SeededRandom(1);
    let isOver = false;
    const noise = async (): Promise<void> => {
      while (!isOver) {
        const engine = random.oneOf(shoal.engines) ?? shoal.engine();
        if (random.chance(0.02)) engine.faults.dropEvents();
        const { id } = engine.createDirectly();
        engine.exit(id, 0);
        engine.removeDirectly(id);
        await delay(10);
      }
    };
    const noisy = noise();
    let writes = 0;
    const lane = async (index: number): Promise<void> => {
      for (let round = 0; writes < 1_000; round += 1) writes += await live(`c-${index}-${round}`);
    };
    try {
      await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
    } finally {
      isOver = true;
      await noisy;
    }
    assert.ok(writes >= 1_000);
  }).timeout(60_000);
});
