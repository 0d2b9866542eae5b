// Holds requests while the manager has just started and does not know its engines yet: a container that runs
// must not be answered with "no such container". Bounded, so that one silent engine does not hold everyone.
import { errorMessage } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { orAborted } from '../common/abort.ts';

export interface WarmUpOptions {
  /** Resolves when the engines are known; rejects when `signal` aborts. */
  readonly whenReady: (signal: AbortSignal) => Promise<void>;
  readonly limitMs: number;
  readonly logger: Logger;
}

export class WarmUp {
  readonly #tasks: TaskSet;
  readonly #over: Promise<void>;
  #isOver = false;

  constructor({ whenReady, limitMs, logger }: WarmUpOptions) {
    this.#tasks = new TaskSet(logger);
    this.#over = new Promise((resolve) => {
      this.#tasks.spawn('warm-up', async (signal) => {
        const limit = AbortSignal.timeout(limitMs);
        await whenReady(AbortSignal.any([signal, limit])).catch((error: unknown) => {
          if (limit.aborted) logger.warn('not all engines answered at start', { error: errorMessage(error) });
        });
        this.#isOver = true;
        resolve();
      });
    });
  }

  /** Resolves when the engines are known or the limit is over; rejects when `signal` aborts. */
  async passed(signal: AbortSignal): Promise<void> {
    if (!this.#isOver) await orAborted(this.#over, signal);
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }
}
