// At most so many at a time; the rest waits in order. Work that takes too long can lose its place, not its life.
import { orAborted, withResolvers } from '../common/abort.ts';

export class Limiter {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * The result of `work`, begun when a place is free. Rejects with the signal's reason when it aborts before that. Work
   * that is not done after `patienceMs` goes on without a place.
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal, patienceMs?: number): Promise<T> {
    await this.#enter(signal);
    let hasPlace = true;
    const leave = (): void => {
      if (hasPlace) this.#leave();
      hasPlace = false;
    };
    const timer = patienceMs === undefined ? undefined : setTimeout(leave, patienceMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#limit) {
      this.#running += 1;
      return;
    }
    const { promise, resolve } = withResolvers<undefined>();
    const turn = (): void => {
      resolve(undefined);
    };
    this.#waiting.push(turn);
    try {
      await orAborted(promise, signal);
    } catch (error) {
      const index = this.#waiting.indexOf(turn);
      if (index === -1) this.#leave();
      else this.#waiting.splice(index, 1);
      throw error;
    }
  }

  /** The place goes straight to the next in line, so that nobody overtakes. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
