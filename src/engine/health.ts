// Whether an engine can be relied on, from its answers to probes and the success of our reading it.
import { errorMessage } from '../common/errors.ts';
import { DeadlineExceeded } from '../common/deadline.ts';
import { EngineUnreachable } from './unreachable.ts';

/** The engine and the manager have no API version in common. */
export class IncompatibleEngine extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IncompatibleEngine';
  }
}

/** undecided: keep the opinion that was held before. */
export type Verdict = 'healthy' | 'unhealthy' | 'undecided';

export class Health {
  readonly #failuresUntilUnhealthy: number;
  #probeFailures = 0;
  #readFailures = 0;
  #isCurrent = false;
  #lastError: string | undefined;

  constructor(failuresUntilUnhealthy: number) {
    this.#failuresUntilUnhealthy = failuresUntilUnhealthy;
  }

  /** Why the engine is not healthy, or what went wrong last; undefined while all is well. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  get verdict(): Verdict {
    if (this.#probeFailures >= this.#failuresUntilUnhealthy || this.#readFailures >= this.#failuresUntilUnhealthy)
      return 'unhealthy';
    return this.#isCurrent && this.#probeFailures === 0 ? 'healthy' : 'undecided';
  }

  probeSucceeded(): void {
    this.#probeFailures = 0;
    if (this.#isCurrent) this.#lastError = undefined;
  }

  probeFailed(error: unknown): void {
    this.#probeFailures += 1;
    this.#lastError = describe(error);
  }

  /** All lists have been read and events flow. */
  becameCurrent(): void {
    this.#probeFailures = 0;
    this.#readFailures = 0;
    this.#isCurrent = true;
    this.#lastError = undefined;
  }

  /**
   * Reading ended. A connection that does not come about says nothing yet, the probe finds out; an engine that leaves
   * a list unanswered is of no use at once; one that answers with errors, or breaks the connection each time before
   * all is read, gets as many chances as a probe.
   */
  readFailed(error: unknown): void {
    this.#isCurrent = false;
    this.#lastError = describe(error);
    if (error instanceof IncompatibleEngine) this.#readFailures = this.#failuresUntilUnhealthy;
    else if (!(error instanceof EngineUnreachable) || error.kind === 'cut') this.#readFailures += 1;
    else if (error.kind === 'timeout') this.#readFailures = this.#failuresUntilUnhealthy;
  }

  /** What is known is not current any more, for a reason given before. */
  becameStale(): void {
    this.#isCurrent = false;
  }
}

/** The reason alone: whoever prints it knows which node it is about. */
function describe(error: unknown): string {
  if (error instanceof DeadlineExceeded) return error.message;
  return errorMessage(error instanceof EngineUnreachable ? error.cause : error);
}
