// A manager that was started anew knows only what the engines tell it: it must place as the one before it did.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { SeededRandom } from '../support/seeded-random.ts';
import { SimulatedCluster, startSimulatedCluster } from '../support/simulated-cluster.ts';

const mib = 1024 ** 2;
const service = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'front' };

describe('a manager that was started anew', () => {
  const managers: SimulatedCluster[] = [];

  afterEach(async () => {
    await Promise.all(managers.splice(0).map((manager) => manager.stop()));
  });

  it('plans every create as the one before it does', async () => {
    const random = new SeededRandom(3);
    const before = await startSimulatedCluster({
      engines: ['a', 'b', 'a', 'c'].map((zone, index) => ({
        memoryBytes: 1024 * mib,
        labels: { zone, ...(index === 3 && { dedicated: 'ci', containerslots: '2' }) },
      })),
    });
    managers.push(before);
    for (let count = 0; count < 12; count += 1) {
      const body = someBody(random);
      const id = await before.run({ name: `c${count}`, body, isStarted: false }).catch(() => undefined);
      if (id !== undefined && count % 4 > 0) await before.api.post(`/containers/${id}/start`).expect(204);
      if (id !== undefined && count % 4 === 3) await before.api.post(`/containers/${id}/stop`).expect(204);
    }

    const after = new SimulatedCluster(before.engines, {});
    managers.push(after);
    await after.start(true);

    for (let count = 0; count < 60; count += 1) {
      const body = someBody(random);
      const asked = { Image: 'busybox', ...body, Env: [...body.Env, 'dryrun:true'] };
      const [old, anew] = await Promise.all(
        [before, after].map((manager) => manager.api.post('/containers/create').send(asked)),
      );
      assert.ok(old?.status === 422 || old?.status === 409, old?.text);
      assert.equal(anew?.text, old.text, JSON.stringify(body));
    }
    for (const manager of [before, after]) {
      const { Placement } = (await manager.api.get('/containers/c1/json').expect(200)).body as Placed;
      assert.deepEqual([Placement.Strategy, Placement.Nodes], ['spread', 4]);
    }
  }).timeout(60_000);
});

interface SomeBody {
  readonly Env: readonly string[];
  readonly Labels: object;
  readonly HostConfig: object;
}

interface Placed {
  readonly Placement: { readonly Strategy: string; readonly Nodes: number };
}

function someBody(random: SeededRandom): SomeBody {
  const rules = [
    'constraint:zone==a',
    'constraint:zone!=~b',
    'affinity:container!=c1*',
    'affinity:container!=~c2@zone',
    'affinity:com.docker.compose.service!=front',
    'toleration:dedicated==ci',
    'reschedule:on-node-failure',
  ];
  return {
    Env: random.chance(0.6) ? [random.oneOf(rules) ?? ''] : [],
    Labels: random.chance(0.4) ? service : {},
    HostConfig: {
      Memory: random.chance(0.5) ? random.between(1, 10) * 50 * mib : 0,
      NanoCpus: random.chance(0.3) ? random.between(1, 4) * 0.25e9 : 0,
      ...(random.chance(0.4) && { PortBindings: { '80/tcp': [{ HostPort: random.oneOf(['80', '81', '90-91']) }] } }),
    },
  };
}
