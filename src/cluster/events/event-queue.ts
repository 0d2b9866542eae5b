// What one slow or fast reader has yet to read: bounded, because a reader that never reads must not fill memory.
export class EventQueue<Item> {
  readonly #limit: number;
  #items: Item[] = [];
  #end: { error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Past the limit the reader gets an error in place of everything it has not read. */
  push(item: Item): void {
    if (this.#end !== undefined) return;
    if (this.#items.length >= this.#limit) {
      this.#items = [];
      this.end(new Error(`the reader is more than ${this.#limit} events behind`));
      return;
    }
    this.#items.push(item);
    this.#wake?.();
  }

  /** The reader gets what is queued and then the end, or `error`. Further calls change nothing. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** For one reader. */
  async *read(): AsyncGenerator<Item, void, undefined> {
    for (;;) {
      const items = this.#items;
      this.#items = [];
      yield* items;
      if (this.#items.length > 0) continue;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
