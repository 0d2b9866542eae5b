// How long to wait before trying again: exponential, capped, with full jitter so that many who failed at
// the same moment do not come back at the same moment.

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** A number in [0, 1); Math.random by default. */
  readonly random?: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and returns the milliseconds to wait: between half of the current step and all of it. */
  next(): number {
    const { initialMs, maxMs, random = Math.random } = this.#options;
    const step = Math.min(maxMs, initialMs * 2 ** this.#failures);
    this.#failures += 1;
    return step / 2 + (random() * step) / 2;
  }

  /** To be called after a success. */
  reset(): void {
    this.#failures = 0;
  }
}
