// The contract for what must outlive a manager and is in no engine: small texts under keys, in folders. Each text has
// a version, and whoever changes it must name the one he has seen, so that no change is ever lost to another.

export interface StateDocument {
  readonly text: string;
  /** Grows with each change of anything in the store. */
  readonly version: number;
}

export interface StateFolder {
  readonly documents: ReadonlyMap<string, StateDocument>;
  /** The store was read at this position: what has a higher version is newer than this reading. */
  readonly version: number;
}

export interface StateStore {
  readonly name: string;
  read(folder: string, signal: AbortSignal): Promise<StateFolder>;
  /**
   * Resolves with the new version once the text is kept. `seenVersion` is that of the text it replaces, 0 where there
   * is none. Throws StateConflict when the store has another.
   */
  write(
    place: StatePlace,
    change: { readonly text: string; readonly seenVersion: number },
    signal: AbortSignal,
  ): Promise<number>;
  /** Throws StateConflict when the version is another; what is not there is removed already. */
  remove(place: StatePlace, seenVersion: number, signal: AbortSignal): Promise<void>;
  /** Replaces whatever is there, by a text that nobody else writes. */
  put(place: StatePlace, text: string, signal: AbortSignal): Promise<void>;
  /** Removes whatever is there. */
  drop(place: StatePlace, signal: AbortSignal): Promise<void>;
  /**
   * Yields the folder as it is, then after every change. Trouble with the store is retried inside and never shows as an
   * empty folder. Ends without throwing when `signal` aborts.
   */
  watch(folder: string, signal: AbortSignal): AsyncIterable<StateFolder>;
}

export interface StatePlace {
  readonly folder: string;
  readonly key: string;
}

/** Somebody else has changed the document meanwhile. */
export class StateConflict extends Error {
  constructor({ folder, key }: StatePlace) {
    super(`${folder}/${key} was changed by somebody else meanwhile`);
    this.name = 'StateConflict';
  }
}
