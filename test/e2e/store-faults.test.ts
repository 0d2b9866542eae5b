// An outage of the store is none of the cluster: three Consul servers fail in every way while a client creates, inspects and
// removes containers. SHOAL_STORES=1 goes on with it for ten minutes.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { RigAgent, RigManager } from '../support/rig/shoal-process.ts';
import { startRig } from '../support/rig/rig.ts';
import type { Rig } from '../support/rig/rig.ts';
import { StoreServers } from '../support/rig/store-servers.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';

const allOfIt = process.env['SHOAL_STORES'] === '1';
const drillMs = allOfIt ? 600_000 : 15_000;
const seed = Number(process.env['SHOAL_SEED'] ?? Date.now() % 1e6);

interface Info {
  readonly Warnings: readonly string[];
  readonly DriverStatus: readonly (readonly [string, string])[];
}

describe('a cluster whose store fails', () => {
  let rig: Rig;
  let store: StoreServers;
  let manager: RigManager;
  let agents: readonly RigAgent[];

  before(async () => {
    rig = await startRig({ engines: ['20.10', '20.10'], manager: 'none', trust: 'none', needs: ['consul'] });
    store = await StoreServers.start(rig.kind, 'consul', { count: 3, firstMachine: 4 });
    const uri = store.uri('shoal');
    manager = new RigManager(rig.kind, uri, {});
    agents = rig.engines.map((engine) => new RigAgent(engine, uri, ['--heartbeat', '2s', '--ttl', '10s']));
    await Promise.all([manager.start(), ...agents.map((agent) => agent.start())]);
    await manager.waitUntilHealthy(2);
  });

  after(async () => {
    await Promise.all(agents.map((agent) => agent.term()));
    await manager.stop();
    await store.stop();
    await rig.stop();
  });

  async function info(): Promise<Info> {
    const { status, json } = await manager.api('GET', '/info');
    assert.equal(status, 200);
    return json as Info;
  }

  async function discoveryWarning(): Promise<string | undefined> {
    return (await info()).Warnings.find((warning) => warning.includes('Discovery: consul does not answer since'));
  }

  /** What a client does all the time; each call must do what it does while nothing is wrong. */
  async function useTheCluster(): Promise<void> {
    const created = await manager.api('POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '60'] });
    assert.equal(created.status, 201, created.text);
    const { Id } = created.json as { readonly Id: string };
    const listed = await manager.api('GET', '/containers/json?all=1');
    assert.ok(listed.text.includes(Id), 'a container that was created is not listed');
    const inspected = await manager.api('GET', `/containers/${Id}/json`);
    assert.equal(inspected.status, 200, inspected.text);
    const removed = await manager.api('DELETE', `/containers/${Id}?force=1`);
    assert.equal(removed.status, 204, removed.text);
    assert.equal((await manager.healthyNodes()).length, 2);
  }

  function makeFault(random: SeededRandom): () => Promise<unknown> {
    const one = random.oneOf(store.servers);
    const some = random.chance(0.4) || one === undefined ? store.servers : [one];
    switch (random.between(0, 5)) {
      case 0:
        return async () => {
          await store.wipe();
        };
      case 1:
      case 2:
        return async () => await Promise.all(some.map((server) => server.kill()));
      case 3:
      case 4:
        return async () => {
          for (const server of some) server.freeze();
          await Promise.resolve();
        };
      default:
        return async () => await Promise.all(some.map((server) => server.cutOff()));
    }
  }

  async function waitUntilAllIsAsBefore(): Promise<void> {
    await store.startAll();
    await until(
      'the store is believed again, and every agent vouches for its engine',
      async () => !(await info()).Warnings.some((warning) => /Discovery:|its agent/.test(warning)),
      60_000,
    );
    assert.equal((await manager.healthyNodes()).length, 2);
  }

  it('goes on, and info says since when the store is silent', async () => {
    for (const server of store.servers) server.freeze();
    const warning = await until('info warns', discoveryWarning, 60_000);
    assert.match(warning, /since 20\d\d-[\d-]+T[\d:.]+Z; members stay as they are/);
    await useTheCluster();
    const { stderr, stdout } = await rig.clients.docker(['-H', `tcp://${manager.address}`, 'info']);
    assert.match(stderr + stdout, /Discovery: consul does not answer since/);
    await waitUntilAllIsAsBefore();
  });

  it(`goes on for ${drillMs / 1000} seconds of faults (seed ${seed})`, async () => {
    const random = new SeededRandom(seed);
    const endMs = performance.now() + drillMs;
    let rounds = 0;
    let faults = 0;
    const breakTheStore = async (): Promise<void> => {
      while (performance.now() < endMs) {
        await makeFault(random)();
        faults += 1;
        await delay(random.between(500, allOfIt ? 20_000 : 5_000));
        await Promise.all(store.servers.map((server) => server.heal()));
        await delay(random.between(0, allOfIt ? 10_000 : 1_000));
      }
    };
    const useIt = async (): Promise<void> => {
      while (performance.now() < endMs) {
        await useTheCluster();
        rounds += 1;
      }
    };
    await Promise.all([breakTheStore(), useIt(), useIt()]);
    await waitUntilAllIsAsBefore();
    const left = manager
      .log()
      .split('\n')
      .filter((line) => line.includes('an engine leaves'));
    assert.deepEqual(left, []);
    assert.ok(rounds > 0 && faults > 0);
    console.log(`      ${faults} faults, ${rounds} containers created, inspected and removed`);
  }).timeout(drillMs + 180_000);
});
