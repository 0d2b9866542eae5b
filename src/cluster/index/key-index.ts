// Values by key, several to a key, with lookup by the beginning of a key. The sorted keys are built on the first
// such lookup and kept in order from then on.
import { compareText } from '../../common/compare-text.ts';

export class KeyIndex<Value> {
  readonly #values = new Map<string, readonly Value[]>();
  #sortedKeys: string[] | undefined;

  /** The values of exactly that key, in the order they came. */
  get(key: string): readonly Value[] {
    return this.#values.get(key) ?? [];
  }

  add(key: string, value: Value): void {
    const values = this.#values.get(key);
    this.#values.set(key, values === undefined ? [value] : [...values, value]);
    if (values === undefined && this.#sortedKeys !== undefined) {
      this.#sortedKeys.splice(firstNotBefore(this.#sortedKeys, key), 0, key);
    }
  }

  remove(key: string, value: Value): void {
    const values = this.#values.get(key);
    if (values === undefined) return;
    const rest = values.filter((other) => other !== value);
    if (rest.length > 0) {
      this.#values.set(key, rest);
      return;
    }
    this.#values.delete(key);
    if (this.#sortedKeys !== undefined) this.#sortedKeys.splice(firstNotBefore(this.#sortedKeys, key), 1);
  }

  /** The keys that begin with `prefix`, in order, at most `limit`. */
  startingWith(prefix: string, limit: number): readonly string[] {
    const keys = (this.#sortedKeys ??= [...this.#values.keys()].sort(compareText));
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
