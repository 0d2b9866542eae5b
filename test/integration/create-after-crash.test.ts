// A manager that ends in the midst of a create, seen by the one that comes after it: two clusters over the same engines
// and the same store, one after the other.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { openLocalState } from '../../discovery/state/local.ts';
import { parseIntents } from '../../src/cluster/create/create-intent.ts';
import type { ClusterOptions } from '../../src/cluster/cluster.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { SimulatedCluster, startSimulatedCluster } from '../support/simulated-cluster.ts';
import { until } from '../support/until.ts';

const logger = createSilentLogger();
const body = { Image: 'busybox' };

describe('a manager that comes after one that was killed', () => {
  let shoal: SimulatedCluster;

  afterEach(() => shoal.stop());

  function storing(doubtMs: number): Partial<ClusterOptions> & { readonly store: ReturnType<typeof openLocalState> } {
    const store = openLocalState({ logger });
    return { store, createDoubtMs: doubtMs, creates: { store, term: () => 0, isShared: false } };
  }

  /** The first manager has asked a node for the container, which hears of it only later; resolves with its label. */
  async function crashWhileCreating(
    options: ReturnType<typeof storing>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly swarmId: string; readonly address: string }> {
    shoal = await startSimulatedCluster({ engines: 2, cluster: options });
    for (const { faults } of shoal.engines) faults.hang(/^POST \/containers\/create/, { times: 1 });
    const client = new AbortController();
    const { signal } = client;
    const type = { 'Content-Type': 'application/json' };
    const call = { method: 'POST', headers: { ...type, ...headers }, body: JSON.stringify(body), signal };
    const lost = fetch(`${shoal.url}/containers/create?name=web`, call).catch(() => undefined);
    const [intent] = await until('it is told to the store', async () => {
      const texts = [...(await options.store.read('creates')).documents.values()];
      const found = texts.flatMap(({ text }) => parseIntents(text));
      return found.length > 0 && found;
    });
    await until('a node is asked', () => shoal.engines.some((engine) => engine.requests.some(isCreate)));
    client.abort();
    await lost;
    await shoal.server.stop();
    // What a killed manager does not do either: it tells the store nothing more.
    const left = await options.store.read('creates');
    await shoal.cluster.stop();
    for (const [key, { text }] of left.documents) await options.store.put({ folder: 'creates', key }, text);
    for (const { faults } of shoal.engines) faults.clear();
    shoal = new SimulatedCluster(shoal.engines, { cluster: options });
    await shoal.start(true);
    assert.ok(intent);
    return intent;
  }

  function copies(): number {
    return shoal.engines.filter((engine) => engine.findContainer('web') !== undefined).length;
  }

  it('keeps a name until it is certain that no container comes, and then gives it', async () => {
    await crashWhileCreating(storing(600));
    await shoal.api
      .post('/containers/create?name=web')
      .send(body)
      .expect(409, /already in use/);
    await shoal.api.post('/containers/create?name=other').send(body).expect(201);
    await until(
      'the name is free',
      async () => (await shoal.api.post('/containers/create?name=web').send(body)).status === 201,
    );
    assert.equal(copies(), 1);
  });

  it('finds the container that comes late, and has no second one made', async () => {
    const { swarmId, address } = await crashWhileCreating(storing(20_000));
    await shoal.api.post('/containers/create?name=web').send(body).expect(409);
    const node = shoal.engines.find((engine) => engine.address === address);
    const late = node?.createDirectly({ name: 'web', labels: { 'com.docker.swarm.id': swarmId } });
    await until('it is seen', () => shoal.cluster.containers.find('web')?.record.id === late?.id);
    await shoal.api.post('/containers/create?name=web').send(body).expect(409);
    await shoal.api.delete('/containers/web?force=1').expect(204);
    await until(
      'the name is free',
      async () => (await shoal.api.post('/containers/create?name=web').send(body)).status === 201,
    );
    assert.equal(copies(), 1);
  });

  it('answers 503 to the key of the create until it is certain, then with its container', async () => {
    const key = { 'Idempotency-Key': 'k1' };
    const { swarmId, address } = await crashWhileCreating(storing(20_000), key);
    await shoal.api.post('/containers/create?name=web').set(key).send(body).expect(503);
    const node = shoal.engines.find((engine) => engine.address === address);
    const labels = { 'com.docker.swarm.id': swarmId, 'com.docker.swarm.idempotency': 'k1' };
    const late = node?.createDirectly({ name: 'web', labels });
    await until('it is answered', async () => {
      const answer = await shoal.api.post('/containers/create?name=web').set(key).send(body);
      return answer.status === 201 && (answer.body as { readonly Id: string }).Id === late?.id;
    });
    assert.equal(copies(), 1);
  });

  it('does not give the name to a rename either', async () => {
    await crashWhileCreating(storing(20_000));
    await shoal.api.post('/containers/create?name=other').send(body).expect(201);
    await shoal.api.post('/containers/other/rename?name=web').expect(409);
  });
});

function isCreate({ url }: { readonly url: string }): boolean {
  return url.includes('/containers/create');
}
