// A Cluster over simulated engines, without an API in front: for tests of what the cluster itself decides.
import { setMaxListeners } from 'node:events';
import { openLocalState } from '../../discovery/state/local.ts';
import { Cluster } from '../../src/cluster/cluster.ts';
import type { ClusterOptions } from '../../src/cluster/cluster.ts';
import type { CreatedContainer } from '../../src/cluster/calls.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openFilters } from '../../src/scheduler/filters/index.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { openStrategy } from '../../src/scheduler/strategies/index.ts';
import { fastTimings } from './connected-engine.ts';
import { startSimulatedEngine } from './simulated-engine/simulated-engine.ts';
import type { SimulatedEngine, SimulatedEngineOptions } from './simulated-engine/simulated-engine.ts';
import { until } from './until.ts';

export interface ConnectedCluster {
  readonly cluster: Cluster;
  readonly simulated: readonly SimulatedEngine[];
  /** The simulated engine at that place; the first by default. */
  readonly at: (index?: number) => SimulatedEngine;
  /** Makes these, and no others, members. */
  readonly announce: (engines: readonly SimulatedEngine[]) => Promise<void>;
  readonly create: (body?: object, options?: ConnectedCreate) => Promise<CreatedContainer>;
  readonly stop: () => Promise<void>;
}

export interface ConnectedCreate {
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every engine is healthy when this resolves. They are called node-1, node-2 and so on unless they say otherwise. */
export async function startConnectedCluster(
  engines: readonly Partial<SimulatedEngineOptions>[],
  options: Partial<ClusterOptions> = {},
): Promise<ConnectedCluster> {
  const named = engines.map((engine, index) => ({ name: `node-${index + 1}`, ...engine }));
  const simulated = await Promise.all(named.map(startSimulatedEngine));
  const logger = createSilentLogger();
  const cluster = new Cluster({
    scheduler: new Scheduler({ filters: openFilters(), strategy: openStrategy('spread') }),
    engineFactory: (address) => new Engine({ address, logger, timings: fastTimings }),
    logger,
    state: openLocalState({ logger }),
    createDoubtMs: 100,
    ...options,
  });
  const abort = new AbortController();
  // All creates of a test share it.
  setMaxListeners(0, abort.signal);
  const announce = async (members: readonly SimulatedEngine[]): Promise<void> => {
    await cluster.follow(once(members.map(({ address }) => ({ address, alive: true }))), abort.signal);
  };
  await announce(simulated);
  await until('every engine is healthy', () => cluster.members.healthyEngines.length === simulated.length);
  return {
    cluster,
    simulated,
    at: (index = 0) => {
      const found = simulated[index];
      if (found === undefined) throw new Error(`no engine at ${index}`);
      return found;
    },
    announce,
    create: (body = {}, { name, headers = {} } = {}) =>
      cluster.createContainer({
        body: { Image: 'busybox', ...body },
        name,
        headers,
        version: '1.41',
        signal: abort.signal,
      }),
    stop: async () => {
      abort.abort();
      await cluster.stop();
      await Promise.all(simulated.map((engine) => engine.stop()));
    },
  };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield await Promise.resolve(value);
}
