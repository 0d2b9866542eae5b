// Values by key, with lookup by the beginning of a key. Most keys have one value, and a few as many as there are
// engines: neither costs more than it must. The sorted keys are built on the first lookup by a beginning and kept in
// order from then on.
import { compareText } from '../../common/compare-text.ts';

export class KeyIndex<Value> {
  readonly #only = new Map<string, Value>();
  /** Keys that have had several values at once; never in `#only`. */
  readonly #several = new Map<string, Set<Value>>();
  #sortedKeys: string[] | undefined;

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
      this.#sortedKeys?.splice(firstNotBefore(this.#sortedKeys, key), 0, key);
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
    this.#sortedKeys?.splice(firstNotBefore(this.#sortedKeys, key), 1);
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
    const keys = (this.#sortedKeys ??= [...this.#only.keys(), ...this.#several.keys()].sort(compareText));
    const start = firstNotBefore(keys, prefix);
    let end = start;
    while (end < keys.length && end - start < limit && keys[end]?.startsWith(prefix)) end += 1;
    return keys.slice(start, end);
  }
}

function firstNotBefore(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareText(keys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
