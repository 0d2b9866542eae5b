// Several managers of one cluster of simulated engines, in this process: each with its own mirror, API and election.
import type { DiscoveryEntry } from '../../discovery/backend.ts';
import { Election } from '../../discovery/election.ts';
import { openLocalState } from '../../discovery/state/local.ts';
import { createProvideImage } from '../../src/api/provide-image.ts';
import { Replica } from '../../src/api/replica.ts';
import { ApiServer } from '../../src/api/server.ts';
import { translateCreate } from '../../src/api/translate.ts';
import { Cluster } from '../../src/cluster/cluster.ts';
import { aborted } from '../../src/common/abort.ts';
import { ApiError } from '../../src/common/errors.ts';
import { TaskSet } from '../../src/common/lifecycle.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openFilters } from '../../src/scheduler/filters/index.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../src/scheduler/strategies/index.ts';
import { fastTimings } from './connected-engine.ts';
import { MemoryLeaderStore, MemoryLeaderText } from './memory-leader-store.ts';
import { startSimulatedEngine, type SimulatedEngine } from './simulated-engine/simulated-engine.ts';
import { until } from './until.ts';

const logger = createSilentLogger();

export interface SimulatedManagersOptions {
  readonly managers: number;
  readonly engines: number;
  readonly leaseMs?: number;
  readonly holdMs?: number;
}

/** Every engine is healthy for every manager, and one of these is the primary, when this resolves. */
export async function startSimulatedManagers(options: SimulatedManagersOptions): Promise<SimulatedManagers> {
  const engines = await Promise.all(
    Array.from({ length: options.engines }, (_, index) => startSimulatedEngine({ name: `node-${index + 1}` })),
  );
  const started = new SimulatedManagers(engines, options);
  await started.start(options.managers);
  return started;
}

export class SimulatedManagers {
  readonly engines: readonly SimulatedEngine[];
  readonly #options: SimulatedManagersOptions;
  readonly #text = new MemoryLeaderText();
  readonly #managers: SimulatedManager[] = [];

  constructor(engines: readonly SimulatedEngine[], options: SimulatedManagersOptions) {
    this.engines = engines;
    this.#options = options;
  }

  get all(): readonly SimulatedManager[] {
    return this.#managers;
  }

  /** The one that may write; two of them are a failure. */
  async primary(): Promise<SimulatedManager> {
    return await until('there is a primary', () => {
      const writers = this.#managers.filter(({ election }) => election.mayWrite());
      if (writers.length > 1) throw new Error('two managers may write');
      return writers[0];
    });
  }

  /** One that knows the primary. */
  async replica(): Promise<SimulatedManager> {
    return await until('a replica knows the primary', () =>
      this.#managers.find(({ election }) => election.primary() !== undefined),
    );
  }

  /** How many containers of that name the engines have. */
  copiesOf(name: string): number {
    return this.engines.filter((engine) => engine.findContainer(name) !== undefined).length;
  }

  async start(count: number): Promise<void> {
    const entries = this.engines.map(({ address }) => ({ address, alive: true }));
    for (let index = 0; index < count; index += 1) {
      this.#managers.push(new SimulatedManager(new MemoryLeaderStore(this.#text), this.#options));
    }
    await Promise.all(this.#managers.map((manager) => manager.start(entries)));
    await this.primary();
  }

  async stop(): Promise<void> {
    for (const { store } of this.#managers) store.isCut = false;
    await Promise.all(this.#managers.map((manager) => manager.stop()));
    await Promise.all(this.engines.map((engine) => engine.stop()));
  }
}

export class SimulatedManager {
  readonly store: MemoryLeaderStore;
  readonly cluster: Cluster;
  readonly #options: SimulatedManagersOptions;
  readonly #server: ApiServer;
  readonly #tasks = new TaskSet(logger);
  readonly #followers = new Set<() => void>();
  #election: Election | undefined;
  #port = 0;

  constructor(store: MemoryLeaderStore, options: SimulatedManagersOptions) {
    this.store = store;
    this.#options = options;
    this.cluster = new Cluster({
      scheduler: new Scheduler({ filters: openFilters(), strategy: openStrategy('spread') }),
      engineFactory: (address) =>
        new Engine({
          ...{ address, logger, timings: fastTimings },
          assertMayWrite: () => {
            if (!this.election.mayWrite()) throw new ApiError(503, 'not the primary');
          },
        }),
      logger,
      state: openLocalState({ logger }),
      translate: translateCreate,
      provideImage: createProvideImage(logger),
    });
    this.#server = this.#createServer();
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get election(): Election {
    if (this.#election === undefined) throw new Error('the manager was not started');
    return this.#election;
  }

  async start(entries: readonly DiscoveryEntry[]): Promise<void> {
    const bound = await this.#server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    if (bound.kind === 'tcp') this.#port = bound.port;
    const { leaseMs = 400 } = this.#options;
    this.#election = new Election({ store: this.store, address: this.address, leaseMs, logger });
    this.#election.subscribe(() => {
      for (const tell of [...this.#followers]) tell();
    });
    this.#election.start();
    this.#tasks.spawn('discovery', (signal) => this.cluster.follow(once(entries, signal), signal));
    await until('all engines are healthy', () => this.cluster.members.healthyEngines.length === entries.length);
  }

  /** An orderly end, as SIGTERM asks for. */
  async stop(): Promise<void> {
    this.election.retire();
    await this.#server.changesOver(2_000);
    await this.election.handOver();
    await this.#server.stop();
    await this.#tasks.stop();
    await this.cluster.stop();
    await this.election.stop();
  }

  /** From now on it neither reaches the store nor renews its lease. */
  async isolate(): Promise<void> {
    this.store.isCut = true;
    await until('the lease has run out', () => !this.election.mayWrite());
  }

  #createServer(): ApiServer {
    const settings = {
      ...{ version: '0.0.0-test', gitCommit: '', buildTime: '', hostName: 'shoal', strategy: 'spread', filters: [] },
      prefixesNamesWithNode: false,
      role: () =>
        this.election.isPrimary()
          ? { name: 'primary' }
          : { name: 'replica', primary: this.election.primary()?.address ?? 'none' },
      warnings: () => [],
    };
    // The address of the election is known only when the server listens.
    const primacy = {
      isPrimary: () => this.election.isPrimary(),
      term: () => this.election.term(),
      primary: () => this.election.primary(),
      subscribe: (listener: () => void) => {
        this.#followers.add(listener);
        return () => this.#followers.delete(listener);
      },
    };
    const { holdMs } = this.#options;
    const catchUp = (): Promise<void> => this.cluster.members.readAgain(1_000);
    const replica = new Replica({ primacy, tasks: this.#tasks, catchUp, ...(holdMs === undefined ? {} : { holdMs }) });
    return new ApiServer({ cluster: this.cluster, settings, logger, replica });
  }
}

async function* once<T>(value: T, signal: AbortSignal): AsyncGenerator<T> {
  yield value;
  await aborted(signal);
}
