// What the API must know of the managers beside this one: whether calls are served here, and where they are if not.

export interface Primacy {
  /** Ends by the clock: to be asked where the answer is used, with nothing awaited in between. */
  isPrimary(): boolean;
  /** The term of this manager, or the last one that it has heard of. */
  term(): number;
  /** Undefined while none is known, or this manager is it. */
  primary(): ForeignPrimary | undefined;
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

export interface ForeignPrimary {
  /** HOST:PORT */
  readonly address: string;
  readonly term: number;
  /** Aborts when another manager has taken over from it. */
  readonly lost: AbortSignal;
}
