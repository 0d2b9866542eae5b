// Several managers and the nodes under them fail together or for long: what may move is moved once, nothing is removed,
// and one name is given once. SHOAL_LONG_FAULTS=1 plays each case for as long as it may last in practice.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { elements, field, text } from '../support/document.ts';
import type { RigEngine } from '../support/rig/engine.ts';
import { bridgeAddress, kindVariable, rigKindNamed } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import { RigManager, type ManagerOptions } from '../support/rig/shoal-process.ts';
import { until } from '../support/until.ts';

const isLong = process.env['SHOAL_LONG_FAULTS'] === '1';
const pairs = isLong ? 200 : 40;
const partedMs = isLong ? 120_000 : 20_000;
const pausedMs = 60_000;
/** What containers are made from is in the store by then. */
const keptWithinMs = 2_000;
const policies = { 'com.docker.swarm.reschedule-policies': '["on-node-failure"]' };

describe('managers and nodes that fail together', function () {
  this.timeout(300_000);
  const kind = rigKindNamed(process.env[kindVariable] ?? 'test');
  let rig: Rig;
  let managers: RigManager[] = [];

  before(async () => {
    rig = await startRig({
      engines: ['20.10', '28.5', '20.10', '20.10'],
      discovery: 'consul',
      agentArgs: ['--heartbeat', '1s', '--ttl', '3s'],
      manager: replicated(2375),
    });
    const other = new RigManager(kind, rig.consul.url, replicated(2385));
    await other.start();
    await other.waitUntilHealthy(4);
    managers = [rig.manager, other];
  });

  after(async () => {
    for (const manager of managers.slice(1)) await manager.kill().catch(() => undefined);
    await rig.stop();
  });

  function replicated(port: number): ManagerOptions {
    const replication = ['--replication', '--replication-ttl', '8s', '--advertise', `${bridgeAddress(kind)}:${port}`];
    const args = [...replication, '--heartbeat', '1s', '--reschedule-grace', '2s'];
    return { port, name: `manager-${port}`, args };
  }

  async function primaryAndReplica(): Promise<readonly [RigManager, RigManager]> {
    return await until('there is a primary', async () => {
      const roles = await Promise.all(managers.map(roleOf));
      const [first, second] = managers;
      if (first === undefined || second === undefined || !roles.includes('primary')) return undefined;
      return roles[0] === 'primary' ? ([first, second] as const) : ([second, first] as const);
    });
  }

  async function make(manager: RigManager, name: string, { node, volume }: Making): Promise<void> {
    const created = await manager.api('POST', `/containers/create?name=${name}`, {
      Image: 'busybox',
      Cmd: ['sh', '-c', '[ ! -d /data ] || head -c 100000 /dev/urandom > /data/bytes; exec sleep 100000'],
      StopSignal: 'SIGKILL',
      Env: [`constraint:node==~${node}`],
      Labels: policies,
      HostConfig: volume === undefined ? {} : { Binds: [`${volume}:/data`] },
    });
    assert.equal(created.status, 201, created.text);
    assert.equal((await manager.api('POST', `/containers/${name}/start`)).status, 204);
  }

  /** Ids by names, as the engine itself has them. */
  async function containersOn(engine: RigEngine): Promise<ReadonlyMap<string, string>> {
    const rows = elements((await engine.api('GET', '/containers/json?all=1')).json);
    return new Map(rows.map((row) => [text(row, 'Names', 0).slice(1), text(row, 'Id')] as const));
  }

  async function nodeOf(manager: RigManager, name: string): Promise<string | undefined> {
    const { status, json } = await manager.api('GET', `/containers/${name}/json`);
    return status === 200 && field(json, 'State', 'Running') === true ? text(json, 'Node', 'Name') : undefined;
  }

  it('give one name once, whoever is asked', async () => {
    const refusals: string[] = [];
    for (let done = 0; done < pairs; done += 20) {
      const names = Array.from({ length: 20 }, (_, index) => `pair-${done + index}`);
      await Promise.all(
        names.map(async (name) => {
          const body = { Image: 'busybox' };
          const path = `/containers/create?name=${name}`;
          const answers = await Promise.all(managers.map((manager) => manager.api('POST', path, body)));
          const statuses = answers.map(({ status }) => status).sort();
          if (statuses.join() !== '201,409') refusals.push(`${name}: ${answers.map((one) => one.text).join(' ')}`);
        }),
      );
    }
    assert.deepEqual(refusals, []);
    const made = await Promise.all(rig.engines.map(containersOn));
    assert.equal(
      made.reduce((sum, names) => sum + names.size, 0),
      pairs,
    );
    for (const [index, engine] of rig.engines.entries()) {
      const ids = [...(made[index]?.values() ?? [])];
      await Promise.all(ids.map((id) => engine.api('DELETE', `/containers/${id}`)));
    }
  });

  it('have what may leave a lost node made anew once, though the primary is lost with it', async () => {
    const [primary, replica] = await primaryAndReplica();
    const lost = rig.engines[3]!;
    const names = ['both-1', 'both-2', 'both-3'];
    await Promise.all(names.map((name) => make(primary, name, { node: lost.name })));
    const before = await containersOn(lost);
    assert.deepEqual([...before.keys()].sort(), names);
    await delay(keptWithinMs);

    await Promise.all([primary.kill(), lost.cutOff()]);
    await until('all run elsewhere', () => allElsewhere(replica, names, lost.name), 60_000);
    const copies = await Promise.all(rig.engines.slice(0, 3).map(containersOn));
    assert.deepEqual(copies.flatMap((found) => [...found.keys()]).sort(), names);

    await lost.reconnect();
    await primary.start();
    await arePutAway(lost, names);
    assert.deepEqual([...(await containersOn(lost)).values()].sort(), [...before.values()].sort());
    const now = await Promise.all(rig.engines.map(containersOn));
    const current = now.flatMap((found) => [...found.keys()]).filter((name) => !name.includes('.stale-'));
    assert.deepEqual(current.sort(), names);
    for (const manager of managers) await until('both name the copies', () => allElsewhere(manager, names, lost.name));
  });

  it('take nothing from a node that was parted from all for long', async () => {
    const [primary] = await primaryAndReplica();
    const parted = rig.engines[2]!;
    await Promise.all(managers.map((manager) => manager.waitUntilHealthy(4)));
    const movable = Array.from({ length: 10 }, (_, index) => `moves-${index}`);
    const bound = Array.from({ length: 10 }, (_, index) => `stays-${index}`);
    await Promise.all([
      ...movable.map((name) => make(primary, name, { node: parted.name })),
      ...bound.map((name) => make(primary, name, { node: parted.name, volume: `data-of-${name}` })),
    ]);
    await until('the volumes are written', () => bound.every((name) => bytesOf(parted, name)?.length === 100_000));
    const before = await containersOn(parted);
    const sums = bound.map((name) => checksum(bytesOf(parted, name)));
    for (const name of [...movable, ...bound]) assert.ok(before.has(name), name);
    await delay(keptWithinMs);

    const cutAtMs = performance.now();
    await parted.cutOff();
    await until('what may move runs elsewhere', () => allElsewhere(primary, movable, parted.name), 60_000);
    await delay(Math.max(0, partedMs - (performance.now() - cutAtMs)));
    for (const name of bound) assert.equal((await primary.api('GET', `/containers/${name}/json`)).status, 503, name);
    await parted.reconnect();
    await arePutAway(parted, movable);

    const after = await containersOn(parted);
    assert.deepEqual([...after.values()].sort(), [...before.values()].sort());
    for (const name of bound) assert.equal(after.get(name), before.get(name));
    assert.deepEqual(
      bound.map((name) => checksum(bytesOf(parted, name))),
      sums,
    );
    await Promise.all(managers.map((manager) => manager.waitUntilHealthy(4)));
    for (const name of bound) assert.equal(await nodeOf(primary, name), parted.name);
    for (const name of movable) assert.notEqual(await nodeOf(primary, name), parted.name);
  });

  (isLong ? it : it.skip)('change nothing by a primary that was stopped for a minute', async () => {
    const [primary, replica] = await primaryAndReplica();
    process.kill(primary.pid, 'SIGSTOP');
    const pausedAtMs = performance.now();
    await until('the other one is the primary', async () => (await roleOf(replica)) === 'primary', 30_000);
    const late = Array.from({ length: 5 }, (_, index) => `late-${index}`);
    const asked = late.map((name) => primary.api('POST', `/containers/create?name=${name}`, { Image: 'busybox' }));
    await make(replica, 'meanwhile', { node: 'node-1' });
    await delay(pausedMs - (performance.now() - pausedAtMs));
    const before = await Promise.all(rig.engines.map(containersOn));
    process.kill(primary.pid, 'SIGCONT');
    const statuses = (await Promise.all(asked)).map(({ status }) => status);

    const after = await Promise.all(rig.engines.map(containersOn));
    const added = after.flatMap((found, index) =>
      [...found.keys()].filter((name) => before[index]?.has(name) !== true),
    );
    assert.deepEqual(
      added.sort(),
      late.filter((_, index) => statuses[index] === 201),
    );
    for (const [index, found] of before.entries()) {
      for (const [name, id] of found) assert.equal(after[index]?.get(name), id);
    }
  });

  async function allElsewhere(manager: RigManager, names: readonly string[], node: string): Promise<boolean> {
    const nodes = await Promise.all(names.map((name) => nodeOf(manager, name)));
    return nodes.every((found) => found !== undefined && found !== node);
  }

  async function arePutAway(engine: RigEngine, names: readonly string[]): Promise<void> {
    await until(
      'the older copies are put away',
      async () => {
        const rows = elements((await engine.api('GET', '/containers/json?all=1')).json);
        const states = rows.map((row) => `${text(row, 'Names', 0)} ${text(row, 'State')}`);
        return names.every((name) => states.includes(`/${name}.stale-${engine.name} exited`));
      },
      60_000,
    );
  }
});

interface Making {
  /** Where it is, unless it cannot be. */
  readonly node: string;
  readonly volume?: string;
}

async function roleOf(manager: RigManager): Promise<string> {
  const { json } = await manager.api('GET', '/info');
  return text(json, 'SystemStatus', 0, 1);
}

function bytesOf({ machine }: RigEngine, name: string): Buffer | undefined {
  try {
    return readFileSync(`${machine.engineDataDirectory}/volumes/data-of-${name}/_data/bytes`);
  } catch {
    return undefined;
  }
}

function checksum(bytes: Buffer | undefined): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
}
