// Creates that are held until a node can take them. Each change of the nodes has them tried again in the order of
// their arrival, in short stretches with pauses between, so that however many wait the manager stays free.
import { setImmediate } from 'node:timers/promises';
import { orAborted, sleep, withResolvers } from '../../common/abort.ts';
import { ApiError } from '../../common/errors.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import { Deadline } from '../../common/deadline.ts';
import { NoRoom } from './no-room.ts';

export interface WaitingCreate {
  /** The name of the container, or its image when it has none. */
  readonly what: string;
  /** What no node offers, for example "2GiB of memory". */
  readonly conditions: readonly string[];
  readonly untilMs: number;
}

export interface HeldCreate<T> {
  readonly what: string;
  /** 0: nothing is held. */
  readonly waitMs: number;
  /** The client's: it waits no longer than that one does. */
  readonly signal: AbortSignal;
  /** Throws NoRoom when no node can take it. Synchronous, because what it reserves belongs to nobody else. */
  readonly place: () => T;
}

const mostWaiting = 1_000;
const longestStretchMs = 10;
/** Changes come in bursts: a container that ends changes its node several times. */
const shortestPauseMs = 10;

export class WaitingCreates {
  readonly #tasks: TaskSet;
  readonly #waiting = new Set<Entry>();
  #hasChanged = false;
  #isServing = false;

  constructor(tasks: TaskSet) {
    this.#tasks = tasks;
  }

  /** In the order of arrival. */
  get list(): readonly WaitingCreate[] {
    return [...this.#waiting].map(({ what, refusal, untilMs }) => ({ what, conditions: refusal.conditions, untilMs }));
  }

  /** What `place` returns, now or when there is room. Throws the last refusal when there is none in time. */
  async hold<T>(create: HeldCreate<T>): Promise<T> {
    try {
      return create.place();
    } catch (error) {
      if (!(error instanceof NoRoom) || create.waitMs <= 0) throw error;
      return await this.#queue(create, error);
    }
  }

  /** To be called after each change of what nodes can take. */
  changed(): void {
    if (this.#waiting.size === 0) return;
    this.#hasChanged = true;
    if (this.#isServing) return;
    this.#isServing = true;
    this.#tasks.spawn('place creates that wait', (signal) => this.#serve(signal));
  }

  async #queue<T>({ what, waitMs, signal, place }: HeldCreate<T>, refusal: NoRoom): Promise<T> {
    if (this.#waiting.size >= mostWaiting) {
      throw new ApiError(refusal.status, `${refusal.message}\n${mostWaiting} creates are waiting already`);
    }
    const { promise, resolve, reject } = withResolvers<T>();
    const entry: Entry = {
      what,
      refusal,
      untilMs: Date.now() + waitMs,
      retry: () => {
        if (signal.aborted) return;
        try {
          resolve(place());
        } catch (error) {
          if (error instanceof NoRoom) {
            entry.refusal = error;
            return;
          }
          reject(error);
        }
        this.#waiting.delete(entry);
      },
    };
    this.#waiting.add(entry);
    const deadline = new Deadline(waitMs, [signal, this.#tasks.signal]);
    try {
      return await orAborted(promise, deadline.signal);
    } catch (error) {
      if (!deadline.signal.aborted || signal.aborted || this.#tasks.signal.aborted) throw error;
      // Some room comes without a change: a port is kept for a container that was never started only for a while.
      entry.retry();
      if (this.#waiting.has(entry)) throw entry.refusal;
      return await promise;
    } finally {
      deadline.clear();
      this.#waiting.delete(entry);
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    while (this.#hasChanged && !signal.aborted) {
      this.#hasChanged = false;
      const startMs = performance.now();
      await this.#retryAll();
      // Four parts of five are left to everything else.
      await sleep(Math.max(shortestPauseMs, 4 * (performance.now() - startMs)), signal);
    }
    this.#isServing = false;
  }

  async #retryAll(): Promise<void> {
    let stretchStartMs = performance.now();
    for (const entry of [...this.#waiting]) {
      if (!this.#waiting.has(entry)) continue;
      entry.retry();
      if (performance.now() - stretchStartMs < longestStretchMs) continue;
      await setImmediate();
      stretchStartMs = performance.now();
    }
  }
}

interface Entry {
  readonly what: string;
  /** The latest one. */
  refusal: NoRoom;
  readonly untilMs: number;
  readonly retry: () => void;
}
