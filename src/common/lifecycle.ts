// Long-running tasks have an owner that can stop them and wait for their end. This is the only place where
// a promise is started without being awaited by its caller.
import { setMaxListeners } from 'node:events';
import { errorMessage } from './errors.ts';
import type { Logger } from './logger.ts';

export type Task = (signal: AbortSignal) => Promise<void>;

/** A set of tasks that end together. A task that rejects is logged; it does not end the others. */
export class TaskSet {
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
    // Every wait of every task listens to this one signal; that is no leak.
    setMaxListeners(0, this.signal);
  }

  /** Aborts when the set is stopped. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Starts `task`; after `stop` it does nothing. */
  spawn(name: string, task: Task): void {
    if (this.signal.aborted) return;
    const run = this.#run(name, task).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Aborts the signal of every task and waits until all have ended. May be called more than once. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running);
  }

  async #run(name: string, task: Task): Promise<void> {
    try {
      await task(this.signal);
    } catch (error) {
      if (this.signal.aborted) return;
      this.#logger.error('a task failed', { task: name, error: errorMessage(error) });
    }
  }
}
