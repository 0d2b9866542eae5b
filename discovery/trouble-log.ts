// One line when a store stops answering, one every tenth failure after it, one when it answers again.
import { errorMessage } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';

export class TroubleLog {
  readonly #logger: Logger;
  readonly #what: string;
  #failures = 0;

  /** `what` completes the constant messages: "discovery store". */
  constructor(logger: Logger, what: string) {
    this.#logger = logger;
    this.#what = what;
  }

  failed(error: unknown, facts: Readonly<Record<string, unknown>> = {}): void {
    if (this.#failures % 10 === 0) {
      this.#logger.warn(`${this.#what} does not answer`, { ...facts, error: errorMessage(error) });
    }
    this.#failures += 1;
  }

  succeeded(facts: Readonly<Record<string, unknown>> = {}): void {
    if (this.#failures > 0) this.#logger.info(`${this.#what} answers again`, { ...facts, failures: this.#failures });
    this.#failures = 0;
  }
}
