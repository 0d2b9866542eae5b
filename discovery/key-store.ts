// The contract of a store of texts under keys that all managers share: elections and states stand on it. Nothing that
// several write is changed but by who names the version that he has seen, so that no change is ever lost to another.

export interface KeyText {
  readonly text: string;
  /** Another one with each change, and higher than all that the store had before. */
  readonly version: number;
}

/** One key, or all keys below one (`a/b` has `a/b/c` below it). */
export type KeyRange = { readonly key: string } | { readonly below: string };

export interface KeyReading {
  /** By their whole keys. */
  readonly texts: ReadonlyMap<string, KeyText>;
  /** How far the store had come: what has a higher version is newer than this reading. */
  readonly position: number;
}

/** Waits up to `waitMs` for a change of the range that came after the reading at `position`. */
export interface KeyWait {
  readonly position: number;
  readonly waitMs: number;
}

export interface KeyStore {
  /** The scheme, for messages: "consul". */
  readonly name: string;
  /**
   * The range as it is, at once or, with `wait`, after a change; it may also come sooner and be as it was. Rejects when the
   * server does not answer: the next call is of another server.
   */
  read(range: KeyRange, wait: KeyWait | undefined, signal: AbortSignal): Promise<KeyReading>;
  /**
   * Writes a key that has `version` still, 0: that does not exist; resolves with its new version, or undefined when it has
   * another. When it rejects, the text may have been written, or be written later.
   */
  write(key: string, { text, version }: KeyText, signal: AbortSignal): Promise<number | undefined>;
  /** False when the key has another version; what is not there is removed already. */
  remove(key: string, version: number, signal: AbortSignal): Promise<boolean>;
  /** Writes a key that nobody else writes, whatever it has. */
  put(key: string, text: string, signal: AbortSignal): Promise<void>;
  /** Removes the key, whatever it has. */
  drop(key: string, signal: AbortSignal): Promise<void>;
}
