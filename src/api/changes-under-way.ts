// The calls under way that change something, so that a primary hands over only when they are through.
import { Waiters } from '../common/waiters.ts';
import { Deadline } from '../common/deadline.ts';
import { isChange } from '../engine/write-permit.ts';
import type { Route } from './route.ts';

export class ChangesUnderWay {
  #count = 0;
  readonly #ends = new Waiters();

  /** Does `work`, and counts it when it changes something and does not last as long as a stream. */
  async during(route: Route, work: () => Promise<void>): Promise<void> {
    if (!isShortChange(route)) {
      await work();
      return;
    }
    this.#count += 1;
    try {
      await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#ends.wake();
    }
  }

  /** Resolves when there is none, at the latest after `withinMs`. */
  async over(withinMs: number): Promise<void> {
    if (this.#count === 0) return;
    const deadline = new Deadline(withinMs, []);
    await this.#ends.wait(deadline.signal);
    deadline.clear();
  }
}

function isShortChange({ method, pattern, handling }: Route): boolean {
  return isChange(method) && handling.kind !== 'hijack' && !lasting.has(pattern);
}

/** They wait for something, or move bytes for as long as it takes; the engine goes on with them without a manager. */
const lasting = new Set([
  '/containers/{name*}/wait',
  '/build',
  '/images/create',
  '/images/load',
  '/images/{name*}/push',
]);
