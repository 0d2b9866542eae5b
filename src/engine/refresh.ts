// Single flight: at most one read of an object runs at a time. Whoever asks during a read waits for the next
// one, so that what he sees is never older than his question. A failed read is repeated until it succeeds.
import { setImmediate } from 'node:timers/promises';
import { sleep, withResolvers } from '../common/abort.ts';
import { Backoff } from '../common/backoff.ts';
import type { BackoffOptions } from '../common/backoff.ts';
import type { TaskSet } from '../common/lifecycle.ts';

export interface RefreshOptions {
  /** For the log. */
  readonly name: string;
  /** Reads the object and applies what it read. Must end when `signal` aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly retry: BackoffOptions;
  readonly tasks: TaskSet;
  /** Told of each failed read, with the number of failures in a row. */
  readonly onFailure: (error: unknown, failures: number) => void;
  /** Told when nothing is left to read. */
  readonly onIdle?: () => void;
}

/** Thrown by a run that applied the object but for a part: it is repeated, and nobody waits for it forever. */
export class IncompleteRead extends Error {
  constructor(cause: unknown) {
    super('a part could not be read', { cause });
    this.name = 'IncompleteRead';
  }
}

/** Incomplete reads in a row after which those who wait are content with what there is. */
const patience = 4;

type Outcome = 'read' | 'not read';

type Waiter = (outcome: Outcome) => void;

interface Loop {
  readonly abort: AbortController;
  current: Set<Waiter>;
}

export class Refresh {
  readonly #options: RefreshOptions;
  #next = new Set<Waiter>();
  /** Those for whom no read is begun before `#delay` has passed. */
  readonly #patient = new Set<Waiter>();
  #delay: NodeJS.Timeout | undefined;
  #loop: Loop | undefined;

  constructor(options: RefreshOptions) {
    this.#options = options;
  }

  /**
   * Resolves with true when a read that began after this call has been applied, with false when the refresh was
   * abandoned or `signal` aborted. Never rejects.
   */
  async request(signal?: AbortSignal): Promise<boolean> {
    const { tasks } = this.#options;
    if (tasks.signal.aborted || signal?.aborted === true) return false;
    const { promise, resolve } = withResolvers<Outcome>();
    const onAbort = (): void => {
      resolve('not read');
    };
    this.#next.add(resolve);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#start();
    try {
      return (await promise) === 'read';
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** As `request`; but a read is begun for it only when nobody has asked for one within `delayMs`. */
  async requestSoon(delayMs: number): Promise<boolean> {
    if (this.#options.tasks.signal.aborted) return false;
    const { promise, resolve } = withResolvers<Outcome>();
    this.#patient.add(resolve);
    this.#delay ??= setTimeout(() => {
      this.#next = this.#takeAll();
      this.#start();
    }, delayMs);
    return (await promise) === 'read';
  }

  /** Ends the read under way and releases everyone who waits. A later request starts anew. */
  abandon(): void {
    const loop = this.#loop;
    this.#loop = undefined;
    loop?.abort.abort();
    if (loop !== undefined) release(loop.current, 'not read');
    release(this.#takeAll(), 'not read');
  }

  /** Everyone whose read has not begun. */
  #takeAll(): Set<Waiter> {
    clearTimeout(this.#delay);
    this.#delay = undefined;
    const all = new Set([...this.#next, ...this.#patient]);
    this.#next = new Set();
    this.#patient.clear();
    return all;
  }

  #start(): void {
    if (this.#loop !== undefined) return;
    const loop: Loop = { abort: new AbortController(), current: new Set() };
    this.#loop = loop;
    this.#options.tasks.spawn(this.#options.name, async (signal) => {
      const abandon = (): void => {
        if (this.#loop === loop) this.abandon();
      };
      signal.addEventListener('abort', abandon, { once: true });
      await this.#run(loop);
      signal.removeEventListener('abort', abandon);
    });
  }

  async #run(loop: Loop): Promise<void> {
    const { run, retry, onFailure, onIdle } = this.#options;
    const { signal } = loop.abort;
    const backoff = new Backoff(retry);
    let isIncomplete = false;
    while (this.#loop === loop && (this.#next.size > 0 || isIncomplete)) {
      // An engine tells one change in several events and answers the call for it: all of these wait for one read.
      await setImmediate();
      if (this.#loop !== loop) return;
      loop.current = this.#takeAll();
      try {
        await run(signal);
        isIncomplete = false;
        backoff.reset();
        release(loop.current, 'read');
      } catch (error) {
        if (this.#loop !== loop) return;
        isIncomplete = error instanceof IncompleteRead;
        const waitMs = backoff.next();
        if (isIncomplete && backoff.failures >= patience) release(loop.current, 'read');
        // Those who came during the failed read wait together with those who came before it.
        for (const done of loop.current) this.#next.add(done);
        loop.current = new Set();
        onFailure(error, backoff.failures);
        await sleep(waitMs, signal);
      }
    }
    // No await since the last look at #next: whoever asks from here on starts a new loop.
    if (this.#loop !== loop) return;
    this.#loop = undefined;
    if (this.#patient.size === 0) onIdle?.();
  }
}

function release(waiting: Set<Waiter>, outcome: Outcome): void {
  for (const done of waiting) done(outcome);
  waiting.clear();
}
