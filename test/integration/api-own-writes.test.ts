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

  /** "state name" of that container in the list; undefined when it is not there. */
  async function listed(id: string): Promise<string | undefined> {
    const filters = encodeURIComponent(JSON.stringify({ id: [id] }));
    const { body } = await client.call('GET', `/containers/json?all=1&filters=${filters}`);
    const [row] = body as readonly Row[];
    return row && `${row.State} ${row.Names[0] ?? ''}`;
  }

  /** The same of its inspect. */
  async function inspected(id: string): Promise<string | undefined> {
    const { status, body } = await client.call('GET', `/containers/${id}/json`);
    const { State, Name } = body as { readonly State: { readonly Status: string }; readonly Name: string };
    return status === 404 ? undefined : `${State.Status} ${Name}`;
  }

  async function change(method: string, path: string, status: number): Promise<void> {
    const answer = await client.call(method, path);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  }

  /** Seven writes, each followed by a look. */
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
    assert.equal(await listed(id), `created /${name}`);
    for (const [index, [method, path, state, shownName]] of steps.entries()) {
      await change(method, path, 204);
      const look = index % 2 === 0 ? listed : inspected;
      assert.equal(await look(id), `${state} /${shownName}`, path);
    }
    await change('DELETE', `/containers/${id}`, 204);
    assert.equal(await listed(id), undefined);
    return steps.length + 2;
  }

  it('shows four hundred writes at once, whatever else the engines tell meanwhile', async () => {
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
      for (let round = 0; writes < 400; round += 1) writes += await live(`c-${index}-${round}`);
    };
    try {
      await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
    } finally {
      isOver = true;
      await noisy;
    }
    assert.ok(writes >= 400);
  }).timeout(120_000);
});
