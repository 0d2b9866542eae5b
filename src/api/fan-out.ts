// One question to several engines: a bounded number at a time, each with a deadline, and none that lost its health
// waited for. What comes back is one outcome per engine, in the order of the engines.
import { ApiError, unavailable } from '../common/errors.ts';
import { Deadline } from '../common/deadline.ts';
import type { Engine } from '../engine/engine.ts';
import type { RequestCall } from './api-call.ts';

export type Outcome<T> =
  | { readonly engine: Engine; readonly isDone: true; readonly value: T }
  | { readonly engine: Engine; readonly isDone: false; readonly error: ApiError };

export type Success<T> = Extract<Outcome<T>, { readonly isDone: true }>;
export type Failure = Extract<Outcome<never>, { readonly isDone: false }>;

export interface FanOutOptions {
  /** For each engine. */
  readonly timeoutMs: number;
  readonly concurrency?: number;
}

const defaultConcurrency = 32;

/** Rejects only when the client has left. */
export async function fanOut<T>(
  call: RequestCall,
  engines: readonly Engine[],
  ask: (engine: Engine, signal: AbortSignal) => Promise<T>,
  { timeoutMs, concurrency = defaultConcurrency }: FanOutOptions,
): Promise<readonly Outcome<T>[]> {
  const outcomes: Outcome<T>[] = [];
  const waiting = engines.entries();
  const work = async (): Promise<void> => {
    for (const [index, engine] of waiting) outcomes[index] = await outcomeOf(call, engine, ask, timeoutMs);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, engines.length) }, work));
  return outcomes;
}

export function successes<T>(outcomes: readonly Outcome<T>[]): Success<T>[] {
  return outcomes.filter((outcome) => outcome.isDone);
}

export function failures<T>(outcomes: readonly Outcome<T>[]): Failure[] {
  return outcomes.filter((outcome) => !outcome.isDone);
}

/** Every member that answers; throws 503 when there is none. */
export function reachableEngines({ cluster }: RequestCall): readonly [Engine, ...Engine[]] {
  const [first, ...others] = cluster.members.healthyEngines;
  if (first === undefined) throw new ApiError(503, 'no node is healthy');
  return [first, ...others];
}

/** The error with the name of its node in front; where there is but one node, the error as it came. */
export function namedError(call: RequestCall, { engine, error }: Failure): ApiError {
  if (call.cluster.members.engines.length === 1) return error;
  const { name } = call.cluster.members.identityOf(engine);
  return new ApiError(error.status, `${name}: ${error.message}`, { cause: error });
}

/** Work on one engine under a signal that aborts at the deadline, with the call, or when the engine is not healthy any more. */
export async function whileHealthy<T>(
  call: RequestCall,
  engine: Engine,
  run: (signal: AbortSignal) => Promise<T>,
  timeoutMs = foreverMs,
): Promise<T> {
  const lost = new AbortController();
  const unsubscribe = engine.subscribe((change) => {
    if (change.kind === 'state' && change.state !== 'healthy') lost.abort(unavailable(engine.name, change.reason));
  });
  if (engine.state !== 'healthy') lost.abort(unavailable(engine.name, engine.lastError));
  const deadline = new Deadline(timeoutMs, [call.signal, lost.signal]);
  try {
    return await run(deadline.signal);
  } finally {
    deadline.clear();
    unsubscribe();
  }
}

/** The longest time that a timer of Node can wait. */
const foreverMs = 2 ** 31 - 1;

async function outcomeOf<T>(
  call: RequestCall,
  engine: Engine,
  ask: (engine: Engine, signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
): Promise<Outcome<T>> {
  try {
    const value = await whileHealthy(call, engine, (signal) => ask(engine, signal), timeoutMs);
    return { engine, isDone: true, value };
  } catch (error) {
    call.signal.throwIfAborted();
    return { engine, isDone: false, error: error instanceof ApiError ? error : unavailable(engine.name, error) };
  }
}
