// A map of bounded size: what was set longest ago is forgotten for what is new.

export class RecentMap<Key, Value> {
  readonly #most: number;
  readonly #entries = new Map<Key, Value>();

  /** `most`: how many entries it keeps. */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** Makes the entry the newest, also when it was there. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Forgets the oldest entry, again and again, as long as it `isPast`. */
  forgetWhile(isPast: (value: Value) => boolean): void {
    for (const [key, value] of this.#entries) {
      if (!isPast(value)) return;
      this.#entries.delete(key);
    }
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The oldest first. Entries may be deleted meanwhile. */
  entries(): Iterable<readonly [Key, Value]> {
    return this.#entries.entries();
  }

  values(): Iterable<Value> {
    return this.#entries.values();
  }
}
