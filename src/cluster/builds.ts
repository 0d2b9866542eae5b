// Which engine builds for whom. A build is several requests that must meet on one engine, and most of them do not
// say which build they belong to: so a client stays with one engine until it has been idle for an hour.
import { sleep } from '../common/abort.ts';
import { ApiError } from '../common/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { BuildCaller } from './calls.ts';
import { leastLoaded } from './home.ts';
import type { NodeView } from './node-view.ts';

const idleMs = 60 * 60_000;
const partnerWaitMs = 5_000;
const maxRemembered = 10_000;

interface Choice {
  readonly engine: Engine;
  readonly usedAtMs: number;
}

export class BuildAffinity {
  readonly #nodes: () => readonly NodeView[];
  readonly #now: () => number;
  readonly #byClient = new Map<string, Choice>();
  readonly #bySession = new Map<string, Choice>();
  readonly #sessionWaiters = new Set<() => void>();

  constructor(nodes: () => readonly NodeView[], now: () => number = Date.now) {
    this.#nodes = nodes;
    this.#now = now;
  }

  /** The engine for a request of a build; the choice is remembered. Throws 503 when no node is healthy. */
  engineFor({ clientKey, sessionId }: BuildCaller): Engine {
    const known = sessionId === undefined ? undefined : this.#recall(this.#bySession, sessionId);
    const engine = known ?? this.#recall(this.#byClient, clientKey) ?? leastLoaded(this.#nodes())?.engine;
    if (engine === undefined) throw new ApiError(503, 'no node is healthy');
    this.#remember(this.#byClient, clientKey, engine);
    return engine;
  }

  /** To be called when a session reaches its engine: requests that name the session follow it there. */
  rememberSession(sessionId: string, engine: Engine): void {
    this.#remember(this.#bySession, sessionId, engine);
    for (const wake of [...this.#sessionWaiters]) wake();
  }

  /** The engine of a session that may come at most five seconds after the request that names it; undefined when it does not. */
  async engineOfSession(sessionId: string, signal: AbortSignal): Promise<Engine | undefined> {
    const known = this.#recall(this.#bySession, sessionId);
    if (known !== undefined || signal.aborted) return known;
    const found = new AbortController();
    const wake = (): void => {
      if (this.#bySession.has(sessionId)) found.abort();
    };
    this.#sessionWaiters.add(wake);
    try {
      await sleep(partnerWaitMs, AbortSignal.any([signal, found.signal]));
    } finally {
      this.#sessionWaiters.delete(wake);
    }
    return this.#recall(this.#bySession, sessionId);
  }

  /** Forgets clients and sessions that were not seen for an hour. */
  forgetIdle(): void {
    for (const choices of [this.#byClient, this.#bySession]) {
      for (const [key, { usedAtMs }] of choices) if (this.#now() - usedAtMs >= idleMs) choices.delete(key);
    }
  }

  #recall(choices: Map<string, Choice>, key: string): Engine | undefined {
    const choice = choices.get(key);
    if (choice === undefined) return undefined;
    const isGood = this.#now() - choice.usedAtMs < idleMs && choice.engine.state === 'healthy';
    return isGood ? choice.engine : undefined;
  }

  #remember(choices: Map<string, Choice>, key: string, engine: Engine): void {
    choices.delete(key);
    choices.set(key, { engine, usedAtMs: this.#now() });
    if (choices.size <= maxRemembered) return;
    for (const oldest of choices.keys()) {
      choices.delete(oldest);
      return;
    }
  }
}
