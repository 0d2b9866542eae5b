// Three managers of one cluster with a real Consul: the primary is killed, paused and stopped, and clients of the
// others only wait a little.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { elements } from '../support/document.ts';
import { bridgeAddress, kindVariable, rigKindNamed } from '../support/rig/rig-kind.ts';
import { startRig, type Rig } from '../support/rig/rig.ts';
import type { ManagerOptions, RigManager } from '../support/rig/shoal-process.ts';
import { until } from '../support/until.ts';

/** The lease is half of it; a machine that is busy with other tests must be able to renew it. */
const ttl = '8s';

describe('three managers', () => {
  const kind = rigKindNamed(process.env[kindVariable] ?? 'test');
  let rig: Rig;
  let managers: RigManager[] = [];

  before(async () => {
    rig = await startRig({ engines: ['20.10', '20.10', '28.5'], discovery: 'consul', manager: replicated(2375) });
    const others = [2385, 2395].map((port) => rig.newManager(rig.consul.url, replicated(port)));
    await Promise.all(others.map((manager) => manager.start()));
    await Promise.all(others.map((manager) => manager.waitUntilHealthy(3)));
    managers = [rig.manager, ...others];
  });

  after(async () => {
    for (const manager of managers.slice(1)) await manager.kill().catch(() => undefined);
    await rig.stop();
  });

  function replicated(port: number): ManagerOptions {
    const args = ['--replication', '--replication-ttl', ttl, '--advertise', `${bridgeAddress(kind)}:${port}`];
    return { port, name: `manager-${port}`, args };
  }

  /** The primary and the others, once they agree. */
  async function standing(
    among: readonly RigManager[] = managers,
  ): Promise<{ readonly primary: RigManager; readonly replicas: readonly RigManager[] }> {
    return await until('the managers agree on the primary', async () => {
      const rows = await Promise.all(among.map((manager) => manager.role()));
      const primary = among.find((_, index) => rows[index] === 'primary');
      const replicas = among.filter((manager) => manager !== primary);
      const areAgreed = rows.filter((row) => row === `replica of ${primary?.address ?? ''}`).length === replicas.length;
      return primary !== undefined && areAgreed && { primary, replicas };
    });
  }

  async function copiesOf(name: string): Promise<number> {
    const path = `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify({ name: [`^/${name}$`] }))}`;
    const lists = await Promise.all(rig.engines.map((engine) => engine.api('GET', path)));
    return lists.flatMap(({ json }) => elements(json)).length;
  }

  it('are one host for the stock client, whichever it asks', async () => {
    const { replicas } = await standing();
    const { address: replica } = replicas[0]!;

    const ran = await rig.docker(['run', '-d', '--name', 'talker', 'busybox', 'sh', '-c', 'echo up; sleep 600'], {
      address: replica,
    });
    assert.equal(ran.code, 0, ran.stderr);
    const executed = await rig.docker(['exec', '-i', 'talker', 'cat'], { address: replica, input: 'through both\n' });
    assert.deepEqual([executed.code, executed.stdout], [0, 'through both\n']);
    assert.equal((await rig.docker(['logs', 'talker'], { address: replica })).stdout, 'up\n');
    for (const { address } of managers) {
      assert.equal((await rig.docker(['ps', '--format', '{{.Names}}'], { address })).stdout, 'talker\n');
    }
  });

  it('go on when the primary is killed, and their clients only wait', async () => {
    const { primary, replicas } = await standing();
    const meters = replicas.map((manager, index) => new Meter(manager, `killed-${index}`));
    await until('calls go through', () => meters.every(({ answered }) => answered > 2));

    assert.equal(await primary.role(), 'primary');
    await primary.kill();
    const before = meters.map(({ answered }) => answered);
    await until('calls go on', () => meters.every(({ answered }, index) => answered > before[index]! + 4), 30_000);
    await Promise.all(meters.map((meter) => meter.stop()));

    for (const meter of meters) await assertHeld(meter, 15);
    // Nobody may take over before the lease of 4 s, renewed each second, has run out.
    for (const { longestMs } of meters) assert.ok(longestMs > 2_500, `taken over after ${longestMs} ms`);
    await primary.start();
    await primary.waitUntilHealthy(3);
  });

  it('let a primary that was paused change nothing when it goes on', async () => {
    const { primary, replicas } = await standing();
    const names = Array.from({ length: 12 }, (_, index) => `paused-${index}`);
    const begun = names.map((name) => create(primary, name));
    await until('the engines are at work', async () => (await Promise.all(names.map(copiesOf))).includes(1));

    process.kill(primary.pid, 'SIGSTOP');
    await standing(replicas);
    const repeated = await Promise.all(names.map((name) => create(replicas[0]!, name)));
    const late = Promise.all(['late-0', 'late-1'].map((name) => create(primary, name)));
    process.kill(primary.pid, 'SIGCONT');
    const first = await Promise.all(begun);
    await late;
    await standing();

    for (const [index, name] of names.entries()) {
      const statuses = [first[index], repeated[index]];
      assert.ok(
        statuses.every((status) => status === 201 || status === 409 || status === 503),
        `${name}: ${statuses.join()}`,
      );
      assert.ok(statuses.filter((status) => status === 201).length <= 1, `${name}: ${statuses.join()}`);
      assert.equal(await copiesOf(name), 1, name);
    }
    for (const name of ['late-0', 'late-1']) assert.equal(await copiesOf(name), 1);
  });

  it('hand over within a moment when the primary is told to stop, and end its streams', async () => {
    const { primary, replicas } = await standing();
    const logs = rig.docker(['logs', '-f', 'talker'], { address: primary.address });
    const meters = replicas.map((manager, index) => new Meter(manager, `stopped-${index}`));
    await until('calls go through', () => meters.every(({ answered }) => answered > 2));

    const started = performance.now();
    const code = await primary.term();
    const seconds = (performance.now() - started) / 1000;
    const before = meters.map(({ answered }) => answered);
    await until('calls go on', () => meters.every(({ answered }, index) => answered > before[index]! + 4), 30_000);
    await Promise.all(meters.map((meter) => meter.stop()));

    assert.equal(code, 0);
    assert.ok(seconds < 10, `the primary took ${seconds} s to stop`);
    assert.equal((await logs).stdout, 'up\n');
    for (const meter of meters) await assertHeld(meter, 6);
    await primary.start();
  });

  async function assertHeld(meter: Meter, seconds: number): Promise<void> {
    console.log(`      longest gap ${(meter.longestMs / 1000).toFixed(2)} s, ${meter.answered} calls`);
    assert.deepEqual(meter.failures, []);
    assert.ok(meter.longestMs < seconds * 1000, `a gap of ${meter.longestMs} ms`);
    for (const name of meter.created) assert.equal(await copiesOf(name), 1, name);
  }
});

/** Creates and inspects one container after another. */
class Meter {
  /** What did not end in 201 and 200; a create that was lost on its way may be answered 503 once. */
  readonly failures: string[] = [];
  readonly created: string[] = [];
  answered = 0;
  longestMs = 0;
  readonly #manager: RigManager;
  readonly #prefix: string;
  readonly #running: Promise<void>;
  #isStopped = false;
  #lastMs = performance.now();
  #lost = 0;

  constructor(manager: RigManager, prefix: string) {
    this.#manager = manager;
    this.#prefix = prefix;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let index = 0; !this.#isStopped; index += 1) {
      const name = `${this.#prefix}-${index}`;
      const status = await create(this.#manager, name);
      if (status === 201) {
        this.created.push(name);
        this.#note(`GET ${name}`, (await this.#manager.api('GET', `/containers/${name}/json`)).status === 200);
      } else {
        this.#lost += 1;
        this.#note(`POST ${name}: ${status}`, status === 503 && this.#lost === 1);
      }
    }
  }

  #note(what: string, isRight: boolean): void {
    if (!isRight) this.failures.push(what);
    this.answered += 1;
    this.longestMs = Math.max(this.longestMs, performance.now() - this.#lastMs);
    this.#lastMs = performance.now();
  }
}

/** 0 when there is no answer. */
async function create(manager: RigManager, name: string): Promise<number> {
  try {
    return (await manager.api('POST', `/containers/create?name=${name}`, { Image: 'busybox', Cmd: ['true'] })).status;
  } catch {
    return 0;
  }
}
