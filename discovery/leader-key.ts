// The text of an election as one key of a store.
import type { KeyStore } from './key-store.ts';
import type { LeaderRead, LeaderStore, LeaderText } from './leadership.ts';

export class LeaderKey implements LeaderStore {
  readonly #store: KeyStore;
  readonly #key: string;
  /** Of the version that was read last. */
  #read: { readonly version: number; readonly position: number } | undefined;

  constructor(store: KeyStore, key: string) {
    this.#store = store;
    this.#key = key;
  }

  get name(): string {
    return this.#store.name;
  }

  async read({ unlike, waitMs }: LeaderRead, signal: AbortSignal): Promise<LeaderText> {
    const last = this.#read;
    const mayWait = waitMs > 0 && last !== undefined && last.position > 0 && last.version === unlike;
    this.#read = undefined;
    const wait = mayWait ? { position: last.position, waitMs } : undefined;
    const { texts, position } = await this.#store.read({ key: this.#key }, wait, signal);
    const found = texts.get(this.#key) ?? { version: 0, text: '' };
    this.#read = { version: found.version, position };
    return found;
  }

  async write(text: string, version: number, signal: AbortSignal): Promise<number | undefined> {
    return await this.#store.write(this.#key, { text, version }, signal);
  }
}
