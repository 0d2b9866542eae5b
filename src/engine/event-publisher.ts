// Publishes events after their effects, in the engine's order for each object. An effect that takes too long
// does not hold its event for ever, and never the events of other objects.
import type { TaskSet } from '../common/lifecycle.ts';
import type { DockerEvent } from '../docker/types.ts';
import { orderKey } from './event-effects.ts';

export interface EventPublisherOptions {
  readonly publish: (event: DockerEvent) => void;
  readonly tasks: TaskSet;
  readonly holdMs: number;
}

/** The stream is read on only while fewer events than these are held. */
const maxHeld = 4096;

export class EventPublisher {
  readonly #options: EventPublisherOptions;
  readonly #last = new Map<string, Promise<void>>();
  #held = 0;

  constructor(options: EventPublisherOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#held >= maxHeld;
  }

  /** `effect` is undefined for an event that changes nothing. */
  admit(event: DockerEvent, effect: Promise<void> | undefined): void {
    const { publish, tasks } = this.#options;
    const key = orderKey(event);
    const before = this.#last.get(key);
    if (effect === undefined && before === undefined) {
      publish(event);
      return;
    }
    this.#held += 1;
    tasks.spawn('publish event', async (signal) => {
      const turn = this.#publishInTurn(event, effect, before, signal);
      this.#last.set(key, turn);
      await turn;
      this.#held -= 1;
      if (this.#last.get(key) === turn) this.#last.delete(key);
    });
  }

  async #publishInTurn(
    event: DockerEvent,
    effect: Promise<void> | undefined,
    before: Promise<void> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (effect !== undefined) await this.#settled(effect, signal);
    await before;
    if (!signal.aborted) this.#options.publish(event);
  }

  /** Resolves when the effect has taken place or has taken too long. */
  #settled(effect: Promise<void>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, this.#options.holdMs);
      signal.addEventListener('abort', end, { once: true });
      effect.then(end, end);
    });
  }
}
