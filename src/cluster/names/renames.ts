// Renames of containers: the new name is kept from everyone else until the mirror shows it, or it is certain what
// became of it.
import type { TaskSet } from '../../common/lifecycle.ts';
import { readForCertain, readSoon } from '../engine-word.ts';
import type { ContainerLocation } from '../locations.ts';
import type { ContainerNames, NameReservation } from './names.ts';

export interface RenamesOptions {
  readonly names: ContainerNames;
  readonly tasks: TaskSet;
  /** Resolves once the names are held of which earlier managers left a create under way. */
  readonly intents: { readonly ready: () => Promise<void> } | undefined;
}

export class Renames {
  readonly #names: ContainerNames;
  readonly #tasks: TaskSet;
  readonly #intents: RenamesOptions['intents'];

  constructor({ names, tasks, intents }: RenamesOptions) {
    this.#names = names;
    this.#tasks = tasks;
    this.#intents = intents;
  }

  /**
   * Does `run`, which must rename the container on its engine; when this resolves the mirror shows the new name. A name
   * whose fate is unknown, because the answer was lost, is kept until the engine has spoken. Throws 400 or 409 as dockerd.
   */
  async rename<T>(location: ContainerLocation, newName: string, run: () => Promise<T>): Promise<T> {
    await this.#intents?.ready();
    const reservation = this.#names.reserveForRename(location, newName);
    let isAnswered = false;
    try {
      const answer = await run();
      isAnswered = true;
      return answer;
    } finally {
      const isShown = await readSoon(location.engine, location.record.id);
      if (isAnswered && isShown) reservation.release();
      else this.#releaseWhenKnown(location, reservation);
    }
  }

  #releaseWhenKnown({ engine, record }: ContainerLocation, reservation: NameReservation): void {
    this.#tasks.spawn('keep a name', async (signal) => {
      await readForCertain(engine, record.id, signal);
      reservation.release();
    });
  }
}
