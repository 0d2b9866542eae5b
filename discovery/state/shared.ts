// State that all managers of a cluster share: texts under keys of their store, below the prefix of the cluster.
import { sleep } from '../../src/common/abort.ts';
import { Backoff } from '../../src/common/backoff.ts';
import type { Logger } from '../../src/common/logger.ts';
import type { KeyStore, KeyWait } from '../key-store.ts';
import { StateConflict, type StateFolder, type StatePlace, type StateStore } from '../state-store.ts';
import { TroubleLog } from '../trouble-log.ts';

export interface SharedStateOptions {
  readonly store: KeyStore;
  readonly prefix: string;
  readonly logger: Logger;
}

const waitMs = 30_000;
/** A burst of changes is read a few times a second. */
const pauseBetweenReadingsMs = 100;

export class SharedState implements StateStore {
  readonly #store: KeyStore;
  readonly #prefix: string;
  readonly #trouble: TroubleLog;

  constructor({ store, prefix, logger }: SharedStateOptions) {
    this.#store = store;
    this.#prefix = prefix;
    this.#trouble = new TroubleLog(logger.child({ state: store.name }), 'the store of states');
  }

  get name(): string {
    return this.#store.name;
  }

  async read(folder: string, signal: AbortSignal): Promise<StateFolder> {
    return await this.#read(folder, undefined, signal);
  }

  async write(
    place: StatePlace,
    { text, seenVersion }: { readonly text: string; readonly seenVersion: number },
    signal: AbortSignal,
  ): Promise<number> {
    const version = await this.#store.write(this.#key(place), { text, version: seenVersion }, signal);
    if (version === undefined) throw new StateConflict(place);
    return version;
  }

  async remove(place: StatePlace, seenVersion: number, signal: AbortSignal): Promise<void> {
    if (!(await this.#store.remove(this.#key(place), seenVersion, signal))) throw new StateConflict(place);
  }

  async put(place: StatePlace, text: string, signal: AbortSignal): Promise<void> {
    await this.#store.put(this.#key(place), text, signal);
  }

  async drop(place: StatePlace, signal: AbortSignal): Promise<void> {
    await this.#store.drop(this.#key(place), signal);
  }

  async *watch(folder: string, signal: AbortSignal): AsyncGenerator<StateFolder> {
    const backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
    let position = 0;
    while (!signal.aborted) {
      const found = await this.#tryRead(folder, position > 0 ? { position, waitMs } : undefined, signal);
      if (found === undefined) {
        position = 0;
        await sleep(backoff.next(), signal);
        continue;
      }
      backoff.reset();
      if (found.version !== position || position === 0) yield found;
      // It goes back when the store was restored from an older state.
      position = found.version < position ? 0 : found.version;
      await sleep(pauseBetweenReadingsMs, signal);
    }
  }

  async #tryRead(folder: string, wait: KeyWait | undefined, signal: AbortSignal): Promise<StateFolder | undefined> {
    try {
      const found = await this.#read(folder, wait, signal);
      this.#trouble.succeeded();
      return found;
    } catch (error) {
      if (!signal.aborted) this.#trouble.failed(error);
      return undefined;
    }
  }

  async #read(folder: string, wait: KeyWait | undefined, signal: AbortSignal): Promise<StateFolder> {
    const below = `${this.#prefix}/state/${folder}`;
    const { texts, position } = await this.#store.read({ below }, wait, signal);
    const documents = [...texts].map(
      ([key, document]) => [unescapeKey(key.slice(below.length + 1)), document] as const,
    );
    return { version: position, documents: new Map(documents) };
  }

  #key({ folder, key }: StatePlace): string {
    return `${this.#prefix}/state/${folder}/${escapeKey(key)}`;
  }
}

/** A key as one segment of a path that no client or server decodes on the way. */
function escapeKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%', '=');
}

function unescapeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('=', '%'));
}
