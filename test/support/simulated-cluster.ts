// A whole manager without its process edge, over simulated engines: real cluster, real API server, real sockets.
import supertest from 'supertest';
import type TestAgent from 'supertest/lib/agent.js';
import type { DiscoveryEntry } from '../../discovery/backend.ts';
import { withFacts } from '../../discovery/entry.ts';
import { createProvideImage } from '../../src/api/provide-image.ts';
import { ApiServer } from '../../src/api/server.ts';
import type { ApiServerOptions } from '../../src/api/server.ts';
import type { ApiSettings } from '../../src/api/settings.ts';
import { translateCreate } from '../../src/api/translate.ts';
import { openLocalState } from '../../discovery/state/local.ts';
import { Cluster } from '../../src/cluster/cluster.ts';
import type { ClusterOptions } from '../../src/cluster/cluster.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { TaskSet } from '../../src/common/lifecycle.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { EngineTimings } from '../../src/engine/timings.ts';
import { openFilters } from '../../src/scheduler/filters/index.ts';
import { filterNames } from '../../src/scheduler/filters/names.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../src/scheduler/strategies/index.ts';
import { openRawConnection } from './raw-connection.ts';
import type { RawConnection } from './raw-connection.ts';
import { startSimulatedEngine } from './simulated-engine/simulated-engine.ts';
import type { SimulatedEngine, SimulatedEngineOptions } from './simulated-engine/simulated-engine.ts';
import { until } from './until.ts';

export interface SimulatedClusterOptions {
  /** How many engines, called node-1, node-2 and so on; or what they are like. Default 2. */
  readonly engines?: number | readonly Partial<SimulatedEngineOptions>[];
  readonly strategy?: string;
  /** Names of filters; the default ones when absent. */
  readonly filters?: readonly string[];
  readonly timings?: Partial<EngineTimings>;
  readonly settings?: Partial<ApiSettings>;
  readonly cluster?: Partial<ClusterOptions>;
  readonly server?: Partial<ApiServerOptions>;
  /** False: the test itself says when discovery speaks, with `announce`. Default true: all engines are healthy at the start. */
  readonly announced?: boolean;
}

/** Failures are noticed within a second or so, as tests want it. */
const quickTimings: Partial<EngineTimings> = {
  probeIntervalMs: 200,
  probeTimeoutMs: 500,
  probeRetryMs: 50,
  recoveryMinMs: 50,
  recoveryMaxMs: 200,
  retryMinMs: 10,
  retryMaxMs: 100,
  debounceMs: 10,
};

export async function startSimulatedCluster(options: SimulatedClusterOptions = {}): Promise<SimulatedCluster> {
  const engines = await Promise.all(engineOptions(options).map(startSimulatedEngine));
  const simulated = new SimulatedCluster(engines, options);
  await simulated.start(options.announced ?? true);
  return simulated;
}

export class SimulatedCluster {
  readonly engines: readonly SimulatedEngine[];
  readonly cluster: Cluster;
  readonly server: ApiServer;
  readonly #discovery = new ScriptedDiscovery();
  readonly #tasks = new TaskSet(createSilentLogger());
  #port = 0;

  constructor(engines: readonly SimulatedEngine[], options: SimulatedClusterOptions) {
    const logger = createSilentLogger();
    const strategy = options.strategy ?? 'spread';
    const filters = options.filters ?? filterNames;
    this.engines = engines;
    this.cluster = new Cluster({
      scheduler: new Scheduler({ filters: openFilters(filters), strategy: openStrategy(strategy) }),
      engineFactory: (address) => new Engine({ address, logger, timings: { ...quickTimings, ...options.timings } }),
      logger,
      state: openLocalState({ logger }),
      translate: translateCreate,
      provideImage: createProvideImage(logger),
      ...options.cluster,
    });
    const settings: ApiSettings = {
      version: '0.0.0-test',
      gitCommit: 'unknown',
      buildTime: '2026-01-01T00:00:00Z',
      hostName: 'shoal',
      strategy,
      filters,
      prefixesNamesWithNode: false,
      role: () => ({ name: 'primary' }),
      warnings: () => [],
      ...options.settings,
    };
    this.server = new ApiServer({ cluster: this.cluster, settings, logger, ...options.server });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The engine of that name; the first one by default. */
  engine(name?: string): SimulatedEngine {
    const found = name === undefined ? this.engines[0] : this.engines.find((engine) => engine.name === name);
    if (found === undefined) throw new Error(`the test has no engine ${name ?? 'at all'}`);
    return found;
  }

  /** A client that asserts on answers. */
  get api(): TestAgent {
    return supertest(this.url);
  }

  /** A client that speaks bytes. */
  openRaw(): Promise<RawConnection> {
    return openRawConnection(this.#port);
  }

  /** Creates a container through the API and starts it unless told not to; resolves with its id. */
  async run(
    options: { readonly name?: string; readonly body?: object; readonly isStarted?: false } = {},
  ): Promise<string> {
    const query = options.name === undefined ? '' : `?name=${options.name}`;
    const created = await this.api.post(`/containers/create${query}`).send({ Image: 'busybox', ...options.body });
    const { Id: id } = created.body as { readonly Id?: string };
    if (created.status !== 201 || id === undefined) throw new Error(`create: ${created.status} ${created.text}`);
    if (options.isStarted !== false) await this.api.post(`/containers/${id}/start`).expect(204);
    return id;
  }

  /** The engine that has the container. */
  engineOf(id: string): SimulatedEngine {
    const found = this.engines.find((engine) => engine.containers.has(id));
    if (found === undefined) throw new Error(`no engine has the container ${id}`);
    return found;
  }

  /** What discovery says from now on: these engines are members, alive unless they say otherwise. */
  announce(engines: readonly (Pick<DiscoveryEntry, 'address'> & Partial<DiscoveryEntry>)[]): void {
    this.#discovery.say(
      engines.map(({ address, alive = true, missing = false, facts }) => ({
        address,
        alive,
        missing,
        ...withFacts(facts),
      })),
    );
  }

  /** Resolves when every engine is healthy. */
  async untilHealthy(): Promise<void> {
    await until('all engines are healthy', () => this.cluster.members.healthyEngines.length === this.engines.length);
  }

  async start(isAnnounced: boolean): Promise<void> {
    this.#tasks.spawn('discovery', (signal) => this.cluster.follow(this.#discovery.watch(signal), signal));
    const bound = await this.server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    if (bound.kind === 'tcp') this.#port = bound.port;
    if (!isAnnounced) return;
    this.announce(this.engines);
    await this.untilHealthy();
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.#tasks.stop();
    await this.cluster.stop();
    await Promise.all(this.engines.map((engine) => engine.stop()));
  }
}

/** A discovery that says what it is told to. */
class ScriptedDiscovery {
  #said: readonly DiscoveryEntry[] | undefined;
  #wake: () => void = () => undefined;

  say(entries: readonly DiscoveryEntry[]): void {
    this.#said = entries;
    this.#wake();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    while (!signal.aborted) {
      const entries = this.#said;
      this.#said = undefined;
      if (entries !== undefined) yield entries;
      else await this.#nextWord(signal);
    }
  }

  #nextWord(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
  }
}

function engineOptions({ engines = 2 }: SimulatedClusterOptions): SimulatedEngineOptions[] {
  const given = typeof engines === 'number' ? Array.from({ length: engines }, () => ({})) : engines;
  return given.map((options, index) => ({ name: `node-${index + 1}`, ...options }));
}
