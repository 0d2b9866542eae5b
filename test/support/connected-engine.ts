// An Engine connected to a simulated engine, with clocks fast enough for tests.
import type { EngineChange } from '../../src/engine/change.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { EngineTimings } from '../../src/engine/timings.ts';
import { createSilentLogger } from '../../src/common/logger.ts';
import { startSimulatedEngine } from './simulated-engine/simulated-engine.ts';
import type { SimulatedEngine, SimulatedEngineOptions } from './simulated-engine/simulated-engine.ts';
import { until } from './until.ts';

/** The complete refresh is left at its default of half a minute, so that what tests see comes from events. */
export const fastTimings: Partial<EngineTimings> = {
  probeIntervalMs: 100,
  probeTimeoutMs: 700,
  probeRetryMs: 50,
  recoveryMinMs: 50,
  recoveryMaxMs: 150,
  requestTimeoutMs: 2_000,
  listTimeoutMs: 1_500,
  inspectTimeoutMs: 600,
  inspectPatienceMs: 150,
  retryMinMs: 20,
  retryMaxMs: 150,
  debounceMs: 10,
  eventHoldMs: 400,
};

export interface ConnectedEngine {
  readonly simulated: SimulatedEngine;
  readonly engine: Engine;
  /** Every change since before the connection. */
  readonly changes: readonly EngineChange[];
  stop(): Promise<void>;
}

/** Started, but not necessarily healthy yet. */
export async function startConnectedEngine(
  options: Partial<SimulatedEngineOptions> = {},
  timings: Partial<EngineTimings> = {},
): Promise<ConnectedEngine> {
  const simulated = await startSimulatedEngine({ name: 'node-1', ...options });
  const connected = connectTo(simulated, timings);
  connected.engine.start();
  return connected;
}

/** Not started. */
export function connectTo(simulated: SimulatedEngine, timings: Partial<EngineTimings> = {}): ConnectedEngine {
  const engine = new Engine({
    address: simulated.address,
    logger: createSilentLogger(),
    timings: { ...fastTimings, ...timings },
  });
  const changes: EngineChange[] = [];
  engine.subscribe((change) => changes.push(change));
  const stop = async (): Promise<void> => {
    await engine.stop();
    await simulated.stop();
  };
  return { simulated, engine, changes, stop };
}

export async function untilState(engine: Engine, state: Engine['state']): Promise<void> {
  await until(
    `${engine.address} is ${state} (${engine.state}: ${engine.lastError ?? 'no error'})`,
    () => engine.state === state,
  );
}
