// One line when a store stops answering, one every tenth failure after it, one when it answers again.
import { errorMessage } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';

export class TroubleLog {
  readonly #logger: Logger;
  readonly #what: string;
  #failures = 0;
  #since: Date | undefined;

  /** `what` completes the constant messages: "discovery store". */
  constructor(logger: Logger, what: string) {
    this.#logger = logger;
    this.#what = what;
  }

  /** When the first of the failures was that no success has followed; undefined while there are none. */
  get since(): Date | undefined {
    return this.#since;
  }

  failed(error: unknown, facts: Readonly<Record<string, unknown>> = {}): void {
    if (this.#failures % 10 === 0) {
      this.#logger.warn(`${this.#what} does not answer`, { ...facts, error: errorMessage(error) });
    }
    this.#failures += 1;
    this.#since ??= new Date();
  }

  succeeded(facts: Readonly<Record<string, unknown>> = {}): void {
    if (this.#failures > 0) this.#logger.info(`${this.#what} answers again`, { ...facts, failures: this.#failures });
    this.#failures = 0;
    this.#since = undefined;
  }
}
