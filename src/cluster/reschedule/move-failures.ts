// What could not be moved or put away, why, and when it is tried again: later each time, at once when there may be room,
// and, where a copy was no good, only when an operator has spoken again.
import { Backoff } from '../../common/backoff.ts';
import { errorMessage } from '../../common/errors.ts';
import { NoRoom } from '../create/no-room.ts';
import type { KnownSettings } from '../nodes/node-settings.ts';
import { CopyFailed } from './mover.ts';

export interface RetryTimings {
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

interface Failure {
  readonly text: string;
  readonly backoff: Backoff;
  readonly isForRoom: boolean;
  /** `performance.now()` */
  notBeforeMs: number;
  /** Room that appears is not used sooner. */
  readonly soonestMs: number;
  /** Those of the node under which it failed for good. */
  readonly settings: KnownSettings | undefined;
}

export class MoveFailures {
  readonly #timings: RetryTimings;
  readonly #failures = new Map<string, Failure>();

  constructor(timings: RetryTimings) {
    this.#timings = timings;
  }

  has(key: string): boolean {
    return this.#failures.has(key);
  }

  /** The last reason, for people. */
  textOf(key: string): string | undefined {
    return this.#failures.get(key)?.text;
  }

  /** `settings` are those of the node now. */
  mayTry(key: string, settings?: KnownSettings): boolean {
    const failure = this.#failures.get(key);
    if (failure === undefined) return true;
    if (failure.settings !== undefined) return failure.settings !== settings;
    return failure.notBeforeMs <= performance.now();
  }

  /** Whether this is another reason than the last time. */
  add(key: string, error: unknown, settings?: KnownSettings): boolean {
    const { retryMinMs, retryMaxMs } = this.#timings;
    const known = this.#failures.get(key);
    const backoff = known?.backoff ?? new Backoff({ initialMs: retryMinMs, maxMs: retryMaxMs });
    const text = errorMessage(error);
    this.#failures.set(key, {
      text,
      backoff,
      isForRoom: error instanceof NoRoom,
      notBeforeMs: performance.now() + backoff.next(),
      soonestMs: performance.now() + retryMinMs,
      settings: error instanceof CopyFailed ? settings : undefined,
    });
    return known?.text !== text;
  }

  remove(key: string): void {
    this.#failures.delete(key);
  }

  /** There may be room that was not there before. */
  roomChanged(): void {
    for (const failure of this.#failures.values())
      if (failure.isForRoom) failure.notBeforeMs = Math.min(failure.notBeforeMs, failure.soonestMs);
  }
}
