// Whether the whole cluster has been read, so that an absent object is truly absent. A new member that does not answer
// at all is not waited for, one that is slow is.
import { sleep } from '../../common/abort.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import { Waiters } from '../../common/waiters.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Members } from './members.ts';

/** An engine that lives answers its first probe long before. */
const firstWordMs = 1_500;

export interface ReadinessOptions {
  readonly members: Members;
  /** Whether discovery has spoken. */
  readonly isMembershipKnown: () => boolean;
  readonly tasks: TaskSet;
}

export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #changes = new Waiters();
  /** Members that joined so lately that their silence means nothing. */
  readonly #newcomers = new Set<Engine>();

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** True once discovery has spoken and every member has been read or is lost. */
  get isReady(): boolean {
    const { members, isMembershipKnown } = this.#options;
    return isMembershipKnown() && members.engines.every((engine) => !this.#isAwaited(engine));
  }

  /** Resolves when `isReady`; rejects when `signal` aborts first. */
  async whenReady(signal: AbortSignal): Promise<void> {
    while (!this.isReady) {
      signal.throwIfAborted();
      await this.#changes.wait(signal);
    }
  }

  joined(engine: Engine): void {
    this.#newcomers.add(engine);
    this.#options.tasks.spawn('await the first word', async (signal) => {
      await sleep(firstWordMs, signal);
      this.#newcomers.delete(engine);
      this.changed();
    });
  }

  /** To be called when the membership or the state of a member has changed. */
  changed(): void {
    this.#changes.wake();
  }

  #isAwaited(engine: Engine): boolean {
    return engine.state === 'pending' && (engine.hasAnswered || this.#newcomers.has(engine));
  }
}
