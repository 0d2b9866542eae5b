// The newest set and those who follow it. A follower that is slow misses sets in between, never the newest one,
// so nothing queues up.
import type { DiscoveryEntry } from './backend.ts';
import { sameMembership, sortMembership } from './entry.ts';
import { Waiters } from '../src/common/waiters.ts';

export class Membership {
  #entries: readonly DiscoveryEntry[] | undefined;
  #revision = 0;
  readonly #waiting = new Waiters();

  /** The newest set, sorted by address; undefined before the first. */
  get entries(): readonly DiscoveryEntry[] | undefined {
    return this.#entries;
  }

  /** Makes `entries` the newest set. A set that says the same as the last one wakes nobody. */
  replace(entries: Iterable<DiscoveryEntry>): void {
    const sorted = sortMembership(entries);
    if (this.#entries && sameMembership(this.#entries, sorted)) return;
    this.#entries = sorted;
    this.#revision += 1;
    this.#waiting.wake();
  }

  /** Yields the set as it is now, or the first one when there is none yet, then after each change; ends on abort. */
  async *follow(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    let seen = 0;
    while (!signal.aborted) {
      if (this.#entries && seen !== this.#revision) {
        seen = this.#revision;
        yield this.#entries;
      } else {
        await this.#waiting.wait(signal);
      }
    }
  }
}
