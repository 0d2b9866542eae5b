// Values by key, with lookup by the beginning of a key. Most keys have one value, and a few as many as there are
// engines: neither costs more than it must. The sorted keys are built on the first lookup by a beginning and kept in
// order from then on.
import { SortedKeys } from './sorted-keys.ts';

export class KeyIndex<Value> {
  readonly #only = new Map<string, Value>();
  /** Keys that have had several values at once; never in `#only`. */
  readonly #several = new Map<string, Set<Value>>();
  #sortedKeys: SortedKeys | undefined;

  /** The values of exactly that key, in the order they came. */
  get(key: string): readonly Value[] {
    const only = this.#only.get(key);
    return only === undefined ? [...(this.#several.get(key) ?? [])] : [only];
  }

  add(key: string, value: Value): void {
    const several = this.#several.get(key);
    const only = this.#only.get(key);
    if (several !== undefined) several.add(value);
    else if (only !== undefined) {
      this.#only.delete(key);
      this.#several.set(key, new Set([only, value]));
    } else {
      this.#only.set(key, value);
      this.#sortedKeys?.add(key);
    }
  }

  remove(key: string, value: Value): void {
    const several = this.#several.get(key);
    if (several !== undefined) {
      several.delete(value);
      if (several.size > 0) return;
      this.#several.delete(key);
    } else {
      if (this.#only.get(key) !== value) return;
      this.#only.delete(key);
    }
    this.#sortedKeys?.remove(key);
  }

  /** As a removal of `before` and an addition of `after`, without a search for the place of the key. */
  replace(key: string, before: Value, after: Value): void {
    const several = this.#several.get(key);
    if (several?.delete(before) === true) several.add(after);
    else if (this.#only.get(key) === before) this.#only.set(key, after);
    else this.add(key, after);
  }

  /** The keys that begin with `prefix`, in order, at most `limit`. */
  startingWith(prefix: string, limit: number): readonly string[] {
    this.#sortedKeys ??= new SortedKeys([...this.#only.keys(), ...this.#several.keys()]);
    return this.#sortedKeys.startingWith(prefix, limit);
  }
}
