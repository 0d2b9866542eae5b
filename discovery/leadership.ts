// The contract between managers that stand for each other and the store that tells them apart. Nothing else lives here.

/** Which of several managers is the primary, as one of them knows it. */
export interface Leadership {
  /**
   * True while this manager is the primary and takes new calls. To be asked again before each change of the cluster,
   * with nothing awaited in between: it ends by the clock, without a word from anybody.
   */
  isPrimary(): boolean;
  /** True while no other manager can be the primary. A manager that hands over finishes its last calls by this. */
  mayWrite(): boolean;
  /** The term of this manager, or the last one that it has heard of; 0: of none. */
  term(): number;
  /** The primary, when it is another manager; undefined while none is known. */
  primary(): Primary | undefined;
  /** Calls `listener` after each change of what the others tell, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

export interface Primary {
  /** HOST:PORT as other managers reach it. */
  readonly address: string;
  /** Grows by one with each change of the primary: the fencing token. */
  readonly term: number;
  /** Aborts when another manager took over without having been asked to. */
  readonly lost: AbortSignal;
}

/** Of a manager that stands alone. */
export const alwaysPrimary: Leadership = {
  isPrimary: () => true,
  mayWrite: () => true,
  term: () => 0,
  primary: () => undefined,
  subscribe: () => () => undefined,
};

/** One text that all managers see, changed only by who knows its version. */
export interface LeaderStore {
  /** The scheme, for messages: "consul". */
  readonly name: string;
  /** The text as it is; waits up to `waitMs` for another one than that of version `unlike`. Rejects when the store does not answer. */
  read(options: LeaderRead, signal: AbortSignal): Promise<LeaderText>;
  /**
   * Writes `text` when the version is still `version`, and resolves with the new one; undefined: it is not. When it
   * rejects, the text may have been written, or be written later.
   */
  write(text: string, version: number, signal: AbortSignal): Promise<number | undefined>;
}

export interface LeaderRead {
  readonly unlike?: number;
  readonly waitMs: number;
}

export interface LeaderText {
  /** 0: there is none. Any change makes another one; a text that is written again as it is may keep its own. */
  readonly version: number;
  readonly text: string;
}
