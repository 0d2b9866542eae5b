// Whether the primary is within reach while calls wait for it. A network that is cut tells nobody: a call that is on its
// way would wait until the network is whole again.
import { sleep } from '../common/abort.ts';
import type { TaskSet } from '../common/lifecycle.ts';
import type { ForeignPrimary } from './primacy.ts';

export interface PrimaryReachOptions {
  /** Resolves when the primary has answered; rejects when it has not, and when the signal aborts. */
  readonly ask: (primary: ForeignPrimary, signal: AbortSignal) => Promise<unknown>;
  readonly tasks: TaskSet;
  readonly everyMs: number;
}

export interface Reach {
  /** Aborts when the primary does not answer any more. */
  readonly signal: AbortSignal;
  /** To be called when the call is over. */
  end(): void;
}

/** One answer may be late on a machine that is busy. */
const failuresUntilLost = 2;

export class PrimaryReach {
  readonly #options: PrimaryReachOptions;
  #followed: Followed | undefined;

  constructor(options: PrimaryReachOptions) {
    this.#options = options;
  }

  follow(primary: ForeignPrimary): Reach {
    const known = this.#followed?.primary.address === primary.address ? this.#followed : undefined;
    const followed = known ?? this.#begin(primary);
    followed.calls += 1;
    return {
      signal: followed.lost.signal,
      end: () => {
        followed.calls -= 1;
      },
    };
  }

  #begin(primary: ForeignPrimary): Followed {
    const followed = { primary, calls: 0, lost: new AbortController() };
    this.#followed = followed;
    this.#options.tasks.spawn('follow the primary', (signal) => this.#watch(followed, signal));
    return followed;
  }

  async #watch(followed: Followed, signal: AbortSignal): Promise<void> {
    const { everyMs } = this.#options;
    for (let failures = 0; failures < failuresUntilLost;) {
      await sleep(everyMs, signal);
      if (signal.aborted || followed.calls === 0) break;
      failures = (await this.#isAnswering(followed.primary, signal)) ? 0 : failures + 1;
    }
    if (this.#followed === followed) this.#followed = undefined;
    followed.lost.abort(new Error('it does not answer any more'));
  }

  async #isAnswering(primary: ForeignPrimary, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.ask(primary, signal);
      return true;
    } catch {
      return false;
    }
  }
}

interface Followed {
  readonly primary: ForeignPrimary;
  readonly lost: AbortController;
  calls: number;
}
