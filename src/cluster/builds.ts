// Which engine builds for whom. A build is several requests that must meet on one engine, and most of them do not
// say which build they belong to: so a client stays with one engine until it has been idle for an hour, and requests
// that name the same session or the same build follow the one of them that an engine was chosen for first.
import { ApiError } from '../common/errors.ts';
import { RecentMap } from '../common/recent-map.ts';
import { Waiters } from '../common/waiters.ts';
import { Deadline } from '../common/deadline.ts';
import type { Engine } from '../engine/engine.ts';
import type { BuildCaller } from './calls.ts';
import { leastLoaded } from './create/home.ts';
import type { NodeView } from './nodes/node-view.ts';

const idleMs = 60 * 60_000;
const maxRemembered = 10_000;

interface Choice {
  readonly engine: Engine;
  readonly usedAtMs: number;
}

export class BuildAffinity {
  readonly #nodes: () => readonly NodeView[];
  readonly #now: () => number;
  readonly #byClient = new RecentMap<string, Choice>(maxRemembered);
  readonly #byMeeting = new RecentMap<string, Choice>(maxRemembered);
  /** How many connections each client controls a builder by. */
  readonly #controllers = new Map<string, number>();
  readonly #meetings = new Waiters();

  constructor(nodes: () => readonly NodeView[], now: () => number = Date.now) {
    this.#nodes = nodes;
    this.#now = now;
  }

  /** The engine for a request of a build; a new choice is remembered. Throws 503 when no node is healthy. */
  engineFor({ clientKey, meetings = [] }: BuildCaller): Engine {
    const met = meetings.map((meeting) => this.#recall(this.#byMeeting, meeting)).find((known) => known !== undefined);
    if (met !== undefined) return met;
    const engine = this.#recall(this.#byClient, clientKey) ?? leastLoaded(this.#nodes())?.engine;
    if (engine === undefined) throw new ApiError(503, 'no node is healthy');
    this.#remember(this.#byClient, clientKey, engine);
    this.meet(meetings, engine);
    return engine;
  }

  /** To be called when a client connects to control the builder itself; the result, when that connection is closed. */
  beginControl(clientKey: string): () => void {
    this.#countController(clientKey, 1);
    return () => {
      this.#countController(clientKey, -1);
    };
  }

  /** Whether the client controls a builder: no request for its build is to come then. */
  isControlling(clientKey: string): boolean {
    return this.#controllers.has(clientKey);
  }

  /** Further requests that name one of `meetings` go to `engine`. */
  meet(meetings: readonly string[], engine: Engine): void {
    for (const meeting of meetings) this.#remember(this.#byMeeting, meeting, engine);
    this.#meetings.wake();
  }

  /** Resolves when an engine was chosen for another request of `meeting`, after `waitMs`, or when `signal` aborts. */
  async untilMet(meeting: string, waitMs: number, signal: AbortSignal): Promise<void> {
    const deadline = new Deadline(waitMs, [signal]);
    try {
      while (!deadline.signal.aborted && this.#recall(this.#byMeeting, meeting) === undefined)
        await this.#meetings.wait(deadline.signal);
    } finally {
      deadline.clear();
    }
  }

  /** Forgets what was not seen for an hour. */
  forgetIdle(): void {
    for (const choices of [this.#byClient, this.#byMeeting]) {
      for (const [key, { usedAtMs }] of choices.entries()) if (this.#now() - usedAtMs >= idleMs) choices.delete(key);
    }
  }

  #countController(clientKey: string, change: 1 | -1): void {
    const count = (this.#controllers.get(clientKey) ?? 0) + change;
    if (count === 0) this.#controllers.delete(clientKey);
    else this.#controllers.set(clientKey, count);
  }

  #recall(choices: RecentMap<string, Choice>, key: string): Engine | undefined {
    const choice = choices.get(key);
    if (choice === undefined) return undefined;
    const isGood = this.#now() - choice.usedAtMs < idleMs && choice.engine.state === 'healthy';
    return isGood ? choice.engine : undefined;
  }

  #remember(choices: RecentMap<string, Choice>, key: string, engine: Engine): void {
    choices.set(key, { engine, usedAtMs: this.#now() });
  }
}
