// One drill: a seeded mixture of calls through the API, changes behind the manager's back and faults, after which
// everything is mended and the manager must tell exactly the truth again. Says what is wrong; asserts nothing.
import { setTimeout as delay } from 'node:timers/promises';
import { PlainClient } from './plain-client.ts';
import type { PlainAnswer } from './plain-client.ts';
import { SeededRandom } from './seeded-random.ts';
import { startSimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { JsonObject } from './simulated-engine/json.ts';
import type { ContainerRecord } from './simulated-engine/records.ts';
import type { SimulatedEngine } from './simulated-engine/simulated-engine.ts';
import { until } from './until.ts';

export interface DrillOptions {
  readonly seed: number;
  readonly steps: number;
  /** Engines leave discovery and come back too: names may then be given to containers of two engines, rightly. */
  readonly withLeaving: boolean;
}

/** None may look like the beginning of an id. */
const names = ['web', 'store', 'cache', 'queue', 'proxy', 'mail', 'jobs', 'auth'];
const ports = [8000, 8001, 8002];
/** Seconds suffice; the rest is for machines that are busy otherwise. */
const settledWithinMs = 30_000;
/** The drill's clients leave after this time. */
const patienceMs = 1_200;

/**
 * Complete refreshes are frequent, because lost events are noticed by nothing else. Deadlines are such that a busy
 * machine meets them: else every engine would look broken, and trying again would keep the machine busy.
 */
const drillTimings = {
  engineRefreshMinIntervalMs: 400,
  engineRefreshMaxIntervalMs: 700,
  probeTimeoutMs: 1_500,
  retryMaxMs: 300,
  requestTimeoutMs: 3_000,
  listTimeoutMs: 3_000,
  inspectTimeoutMs: 1_500,
  eventHoldMs: 200,
};

/** What was found wrong, one line each. */
export async function runDrill(options: DrillOptions): Promise<readonly string[]> {
  const engines = new SeededRandom(options.seed).between(3, 5);
  const cluster = await startSimulatedCluster({
    engines,
    timings: drillTimings,
    // Without retries: a container that is made anew elsewhere has another id.
    cluster: { createRetry: 0, createDoubtMs: 500 },
  });
  const drill = new Drill(cluster, options);
  try {
    await drill.run();
    return await drill.check();
  } finally {
    drill.close();
    await cluster.stop();
  }
}

class Drill {
  readonly #shoal: SimulatedCluster;
  readonly #options: DrillOptions;
  readonly #random: SeededRandom;
  /** Leaves early. */
  readonly #client: PlainClient;
  /** Waits for its answers. */
  readonly #judge: PlainClient;
  readonly #pending = new Set<Promise<void>>();
  readonly #wrong = new Set<string>();
  /** Answered with 201. */
  readonly #created = new Set<string>();
  /** Deleted with 204. */
  readonly #deleted = new Set<string>();
  /** Someone at least tried to remove them. */
  readonly #mayBeGone = new Set<string>();
  readonly #refusing = new Set<SimulatedEngine>();
  readonly #away = new Set<SimulatedEngine>();
  /** Their connections must be broken in the end, or the calls would hang as long as any client has patience. */
  readonly #hanging = new Set<SimulatedEngine>();
  #directCount = 0;

  constructor(shoal: SimulatedCluster, options: DrillOptions) {
    this.#shoal = shoal;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#client = new PlainClient(shoal.port, patienceMs);
    this.#judge = new PlainClient(shoal.port, settledWithinMs);
  }

  async run(): Promise<void> {
    for (let step = 0; step < this.#options.steps; step += 1) {
      await this.#step();
      this.#lookForTwins();
      if (this.#random.chance(0.5)) await delay(this.#random.between(0, 25));
      while (this.#pending.size > 10) await Promise.race(this.#pending);
    }
    await this.#mend();
    await Promise.all(this.#pending);
  }

  async check(): Promise<readonly string[]> {
    let differences: readonly string[] = ['nothing was looked at'];
    await until(
      'the list is the truth',
      async () => {
        differences = await this.#differences();
        return differences.length === 0;
      },
      settledWithinMs,
    ).catch(() => undefined);
    this.#checkAnswers();
    const wrong = [...this.#wrong, ...differences];
    return wrong.length > 0 ? wrong : await this.#checkNames();
  }

  close(): void {
    this.#client.close();
    this.#judge.close();
  }

  async #step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.68) this.#spawn(this.#callApi());
    else if (dice < 0.78) this.#changeDirectly();
    else await this.#makeFault();
  }

  #spawn(work: Promise<void>): void {
    const tracked = work.finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  // Decides everything before the first await, so that the seed alone decides it.
  #callApi(): Promise<void> {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.4) return this.#create();
    const target = random.oneOf([...this.#created]);
    if (target === undefined) return this.#create();
    const reference = random.chance(0.2) ? (random.oneOf(names) ?? 'web') : target;
    if (dice < 0.55) return this.#call('POST', `/containers/${reference}/start`);
    if (dice < 0.63) return this.#call('POST', `/containers/${reference}/stop?t=0`);
    if (dice < 0.68) return this.#call('POST', `/containers/${reference}/kill`);
    if (dice < 0.72) return this.#call('POST', `/containers/${reference}/restart?t=0`);
    if (dice < 0.75) return this.#call('POST', `/containers/${reference}/pause`);
    if (dice < 0.78)
      return this.#call('POST', `/containers/${reference}/update`, { Memory: random.between(1, 9) << 20 });
    if (dice < 0.86) return this.#call('POST', `/containers/${target}/rename?name=${random.oneOf(names) ?? ''}`);
    if (dice < 0.97) return this.#delete(target);
    return this.#call('GET', '/containers/json?all=1');
  }

  async #call(method: string, path: string, body?: object): Promise<void> {
    await this.#client.call(method, `/v1.41${path}`, body);
  }

  #create(): Promise<void> {
    const random = this.#random;
    const name = random.chance(0.7) ? random.oneOf(names) : undefined;
    const isPublished = random.chance(0.4);
    const body = {
      Image: 'busybox',
      HostConfig: {
        Memory: random.between(0, 8) << 20,
        NanoCpus: random.between(0, 3) * 1e7,
        ...(isPublished ? { PortBindings: { '80/tcp': [{ HostPort: String(random.oneOf(ports)) }] } } : {}),
      },
    };
    return this.#createAndStart(name, body, random.chance(0.7) ? 'started' : 'left');
  }

  async #createAndStart(name: string | undefined, body: object, fate: 'started' | 'left'): Promise<void> {
    const query = name === undefined ? '' : `?name=${name}`;
    const answer = await this.#client.call('POST', `/v1.41/containers/create${query}`, body);
    const id = idOf(answer);
    if (answer.status !== 201) return;
    if (id === undefined) {
      this.#wrong.add('a 201 without an id');
      return;
    }
    this.#created.add(id);
    if (fate === 'started') await this.#call('POST', `/containers/${id}/start`);
  }

  async #delete(id: string): Promise<void> {
    this.#mayBeGone.add(id);
    const { status } = await this.#client.call('DELETE', `/v1.41/containers/${id}?force=1`);
    if (status === 204) this.#deleted.add(id);
  }

  #changeDirectly(): void {
    const random = this.#random;
    const engine = this.#anyEngine();
    const container = random.oneOf([...engine.containers.values()]);
    const dice = random.next();
    if (dice < 0.4 || container === undefined) {
      this.#directCount += 1;
      engine.createDirectly({ name: `direct-${this.#directCount}`, running: random.chance(0.7) });
    } else if (dice < 0.7) {
      this.#mayBeGone.add(container.id);
      engine.removeDirectly(container.id);
    } else if (container.status === 'running') engine.exit(container.id, random.between(0, 2));
  }

  async #makeFault(): Promise<void> {
    const random = this.#random;
    const engine = this.#anyEngine();
    const { faults } = engine;
    const times = random.between(1, 4);
    const failed = { status: 500, message: 'made to fail', times };
    switch (random.between(0, 19)) {
      case 0:
        faults.fail(inspects, failed);
        return;
      case 1:
        faults.fail(lists, failed);
        return;
      case 2:
        faults.fail(creates, { ...failed, times: 1 });
        return;
      case 3:
        faults.cut(creates, { times: 1 });
        return;
      case 4:
        faults.cut(creates, { afterWork: true, times: 1 });
        return;
      case 5:
        faults.cut(changes, { times });
        return;
      case 6:
        faults.cut(changes, { afterWork: true, times });
        return;
      case 7:
        faults.cut(inspects, { times });
        return;
      case 8:
        faults.cut(lists, { times });
        return;
      case 9:
        faults.hang(inspects, { times });
        return;
      case 10:
        faults.hang(lists, { times: 1 });
        return;
      case 11:
        faults.hang(random.chance(0.5) ? creates : changes, { times: 1 });
        this.#hanging.add(engine);
        return;
      case 12:
        faults.delay(/./, random.between(1, 60), { times: 20 });
        return;
      case 13:
        faults.dropEvents();
        return;
      case 14:
        faults.silenceEvents(times);
        return;
      case 15:
        if (this.#refusing.delete(engine)) await faults.accept();
        else {
          this.#refusing.add(engine);
          await faults.refuse();
        }
        return;
      case 16:
        faults.freeze();
        return;
      case 17:
        faults.thaw();
        return;
      case 18:
        if (this.#options.withLeaving) this.#leaveOrReturn(engine);
        return;
      default:
        faults.clear();
    }
  }

  #leaveOrReturn(engine: SimulatedEngine): void {
    if (!this.#away.delete(engine)) this.#away.add(engine);
    this.#shoal.announce(this.#shoal.engines.filter((member) => !this.#away.has(member)));
  }

  #anyEngine(): SimulatedEngine {
    return this.#random.oneOf(this.#shoal.engines) ?? this.#shoal.engine();
  }

  async #mend(): Promise<void> {
    for (const { faults } of this.#shoal.engines) faults.clear();
    await Promise.all([...this.#hanging].map(({ faults }) => faults.refuse()));
    await Promise.all(this.#shoal.engines.map(({ faults }) => faults.accept()));
    this.#away.clear();
    this.#shoal.announce(this.#shoal.engines);
  }

  /** A name may be kept for a moment, until an engine has spoken. */
  async #createNamed(name: string, expected: number): Promise<PlainAnswer> {
    let answer: PlainAnswer = { status: 0, body: undefined };
    await until(
      'the name is free',
      async () => {
        answer = await this.#judge.call('POST', `/v1.41/containers/create?name=${name}`, { Image: 'busybox' });
        return answer.status === expected;
      },
      settledWithinMs,
    ).catch(() => undefined);
    return answer;
  }

  #lookForTwins(): void {
    if (this.#options.withLeaving) return;
    for (const name of names) {
      const holders = this.#shoal.engines.filter((engine) => engine.findContainer(name) !== undefined);
      if (holders.length > 1) this.#wrong.add(`${name} is on ${holders.map((engine) => engine.name).join(' and ')}`);
    }
  }

  #checkAnswers(): void {
    for (const id of this.#created) {
      const holders = this.#shoal.engines.filter((engine) => engine.containers.has(id));
      const isRight = holders.length === 1 || (holders.length === 0 && this.#mayBeGone.has(id));
      if (!isRight) this.#wrong.add(`the created ${short(id)} exists ${holders.length} times`);
    }
    for (const id of this.#deleted) {
      const isThere = this.#shoal.engines.some((engine) => engine.containers.has(id));
      if (isThere) this.#wrong.add(`the deleted ${short(id)} exists`);
    }
  }

  async #differences(): Promise<readonly string[]> {
    const { status, body } = await this.#judge.call('GET', '/v1.41/containers/json?all=1');
    const rows: readonly unknown[] = Array.isArray(body) ? body : [];
    if (status !== 200) return [`the list is answered with ${status}`];
    const shown = rows.map(rowText).sort();
    const truth = this.#shoal.engines.flatMap((engine) =>
      [...engine.containers.values()].map((one) => truthText(one, engine)),
    );
    truth.sort();
    const missing = truth.filter((line) => !shown.includes(line)).map((line) => `not shown: ${line}`);
    const invented = shown.filter((line) => !truth.includes(line)).map((line) => `wrongly shown: ${line}`);
    const twice = shown.length === truth.length ? [] : [`${shown.length} rows for ${truth.length} containers`];
    return [...missing, ...invented, ...twice, ...this.#loadDifferences()];
  }

  #loadDifferences(): readonly string[] {
    return this.#shoal.engines.flatMap((engine) => {
      const node = this.#shoal.cluster.members.nodes.find(({ name }) => name === engine.name);
      if (node === undefined) return [`${engine.name} is no node`];
      const active = [...engine.containers.values()].filter(({ status }) => status !== 'exited');
      const counted = {
        total: node.totalContainers,
        active: node.activeContainers,
        memory: node.reservedMemoryBytes,
        cpus: node.reservedNanoCpus,
        ports: ports.filter((port) => node.isPortTaken({ ip: '', port, protocol: 'tcp' })),
        refusal: node.refusal,
      };
      const expected = {
        total: engine.containers.size,
        active: active.length,
        memory: sum(active.map((one) => limitOf(one, 'Memory'))),
        cpus: sum(active.map((one) => limitOf(one, 'NanoCpus'))),
        ports: ports.filter((port) => active.some((one) => JSON.stringify(one.body).includes(`"HostPort":"${port}"`))),
        refusal: undefined,
      };
      const [is, shouldBe] = [JSON.stringify(counted), JSON.stringify(expected)];
      return is === shouldBe ? [] : [`the load of ${engine.name} is ${is}, should be ${shouldBe}`];
    });
  }

  /** Each name that no container has can be had; each that one has cannot. */
  async #checkNames(): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const name of names) {
      const isTaken = this.#shoal.engines.some((engine) => engine.findContainer(name) !== undefined);
      const answer = await this.#createNamed(name, isTaken ? 409 : 201);
      if (answer.status !== (isTaken ? 409 : 201)) {
        wrong.push(`the ${isTaken ? 'taken' : 'free'} name ${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      if (answer.status !== 201) continue;
      const removed = await this.#judge.call('DELETE', `/v1.41/containers/${name}`);
      if (removed.status !== 204) wrong.push(`the new ${name} cannot be removed: ${removed.status}`);
    }
    return wrong;
  }
}

const inspects = /^GET \/containers\/[0-9a-f]+\/json/;
const lists = /^GET \/containers\/json/;
const creates = /^POST \/containers\/create/;
const changes = /^(POST \/containers\/[0-9a-z]+\/(start|stop|kill|rename|restart)|DELETE \/containers)/;

function rowText(row: unknown): string {
  const { Id, Names, State, Labels } = row as {
    readonly Id: string;
    readonly Names: readonly string[];
    readonly State: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
  return `${short(Id)} ${Names[0] ?? ''} ${State} on ${Labels['com.docker.swarm.node'] ?? ''}`;
}

function truthText({ id, name, status }: ContainerRecord, engine: SimulatedEngine): string {
  return `${short(id)} /${name} ${status} on ${engine.name}`;
}

function short(id: string): string {
  return id.slice(0, 12);
}

/** As `update` left it, or as it was created. */
function limitOf({ body, resources }: ContainerRecord, limit: 'Memory' | 'NanoCpus'): number {
  const host = { ...(body['HostConfig'] as JsonObject | undefined), ...resources };
  return Number(host[limit] ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function idOf({ body }: PlainAnswer): string | undefined {
  const id = typeof body === 'object' && body !== null && 'Id' in body ? body.Id : undefined;
  return typeof id === 'string' ? id : undefined;
}
