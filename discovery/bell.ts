// Wakes one waiter. Rings that come while nobody waits are one, so that a burst of changes is looked at once.
import { withResolvers } from '../src/common/abort.ts';

export class Bell {
  #news = withResolvers<undefined>();

  ring(): void {
    this.#news.resolve(undefined);
  }

  /** The waiter, now or later, fails with `reason`. */
  fail(reason: unknown): void {
    this.#news.reject(reason);
    // Nobody may be waiting.
    this.#news.promise.catch(() => undefined);
  }

  /** Resolves when it has rung since the last time that this resolved. */
  async rung(): Promise<void> {
    await this.#news.promise;
    this.#news = withResolvers<undefined>();
  }
}
