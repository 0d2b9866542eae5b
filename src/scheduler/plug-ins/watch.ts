// Runs the code of a plug-in: what it throws becomes a refusal that names it, what takes long or forever is told
// in the log. A plug-in that fails is never passed over: a rule that nobody checks is worse than a refused create.
import { ApiError, errorMessage } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { withinTimeLimit } from './time-limit.ts';

/** Every other request waits while a node is chosen. */
const slowMs = 50;
const limitMs = 1_000;
const reportEveryMs = 60_000;

export class PlugInWatch {
  /** As in: filter "two-per-image" (./two-per-image.js) */
  readonly title: string;
  readonly #logger: Logger;
  readonly #failures = new Reports();
  readonly #delays = new Reports();

  constructor(title: string, logger: Logger) {
    this.title = title;
    this.#logger = logger;
  }

  /** Throws ApiError 500 when `work` throws or does not return. */
  run<T>(work: () => T): T {
    const startMs = performance.now();
    try {
      return withinTimeLimit(work, limitMs);
    } catch (error) {
      this.#tell(this.#failures, 'a plug-in failed', { error: errorMessage(error) });
      throw new ApiError(500, `${this.title} failed: ${errorMessage(error)}`, { cause: error });
    } finally {
      const ms = Math.round(performance.now() - startMs);
      if (ms >= slowMs) this.#tell(this.#delays, 'a plug-in is slow, and all requests wait for it', { ms });
    }
  }

  #tell(reports: Reports, message: string, facts: Readonly<Record<string, unknown>>): void {
    const times = reports.due(performance.now());
    if (times > 0) this.#logger.warn(message, { plugIn: this.title, times, ...facts });
  }
}

/** Counts what happens often and says once a minute how often it did. */
class Reports {
  #count = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** How many there were since the last report, this one included; 0: it is too early for the next one. */
  due(nowMs: number): number {
    this.#count += 1;
    if (nowMs - this.#lastMs < reportEveryMs) return 0;
    const count = this.#count;
    this.#count = 0;
    this.#lastMs = nowMs;
    return count;
  }
}
