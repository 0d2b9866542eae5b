// Distinct texts in order, kept in short blocks: what is added or removed moves the rest of its own block and no more,
// however many texts there are.
import { compareText } from '../../common/compare-text.ts';

const maxBlockLength = 512;

export class SortedKeys {
  /** None is empty but the only one. */
  readonly #blocks: string[][];

  constructor(keys: Iterable<string>) {
    const sorted = [...keys].sort(compareText);
    this.#blocks = [sorted.splice(0, maxBlockLength / 2)];
    while (sorted.length > 0) this.#blocks.push(sorted.splice(0, maxBlockLength / 2));
  }

  /** `key` must not be there yet. */
  add(key: string): void {
    const place = this.#blockOf(key);
    const block = this.#blocks[place] ?? [];
    block.splice(firstNotBefore(block, key), 0, key);
    if (block.length > maxBlockLength) this.#blocks.splice(place + 1, 0, block.splice(maxBlockLength / 2));
  }

  /** `key` must be there. */
  remove(key: string): void {
    const place = this.#blockOf(key);
    const block = this.#blocks[place] ?? [];
    block.splice(firstNotBefore(block, key), 1);
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(place, 1);
  }

  /** Those that begin with `prefix`, in order, at most `limit`. */
  startingWith(prefix: string, limit: number): readonly string[] {
    const found: string[] = [];
    let place = this.#blockOf(prefix);
    let index = firstNotBefore(this.#blocks[place] ?? [], prefix);
    for (let block = this.#blocks[place]; block !== undefined; block = this.#blocks[(place += 1)], index = 0) {
      for (; index < block.length; index += 1) {
        const key = block[index] ?? '';
        if (found.length === limit || !key.startsWith(prefix)) return found;
        found.push(key);
      }
    }
    return found;
  }

  /** The last block that begins before `key` or with it; the first one where none does. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (compareText(this.#blocks[middle]?.[0] ?? '', key) <= 0) low = middle;
      else high = middle;
    }
    return low;
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
