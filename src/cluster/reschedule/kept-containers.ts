// The documents of all containers that may be made anew. Changed in memory at once and written to the store behind
// that, the newest state of each only; what must not get lost is waited for with `flush`.
import { StateConflict, type StateStore } from '../../../discovery/state-store.ts';
import { sleep } from '../../common/abort.ts';
import { Backoff } from '../../common/backoff.ts';
import { errorMessage } from '../../common/errors.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import type { Logger } from '../../common/logger.ts';
import { Waiters } from '../../common/waiters.ts';
import { formatKept, parseKept, type KeptContainer } from './kept-container.ts';

const folder = 'containers';

export interface KeptContainersOptions {
  readonly store: StateStore;
  readonly tasks: TaskSet;
  readonly logger: Logger;
  /** Asked before each write: only the primary writes. */
  readonly mayWrite: () => boolean;
}

export class KeptContainers {
  readonly #options: KeptContainersOptions;
  #kept = new Map<string, KeptContainer>();
  #versions = new Map<string, number>();
  readonly #unsaved = new Set<string>();
  #isSaving = false;
  readonly #savings = new Waiters();

  constructor(options: KeptContainersOptions) {
    this.#options = options;
  }

  /** Replaces everything by what the store has; what was not written yet is forgotten. */
  async load(signal: AbortSignal): Promise<void> {
    const { documents } = await this.#options.store.read(folder, signal);
    this.#unsaved.clear();
    this.#versions = new Map([...documents].map(([key, { version }]) => [key, version]));
    const kept = [...documents.values()].flatMap(({ text }) => parseKept(text) ?? []);
    this.#kept = new Map(kept.map((one) => [one.swarmId, one]));
  }

  get(swarmId: string): KeptContainer | undefined {
    return this.#kept.get(swarmId);
  }

  all(): Iterable<KeptContainer> {
    return this.#kept.values();
  }

  set(kept: KeptContainer): void {
    const before = this.#kept.get(kept.swarmId);
    this.#kept.set(kept.swarmId, kept);
    if (before === undefined || formatKept(before) !== formatKept(kept)) this.#save(kept.swarmId);
  }

  delete(swarmId: string): void {
    if (this.#kept.delete(swarmId)) this.#save(swarmId);
  }

  /** Resolves when the store has everything that was changed until now; rejects when `signal` aborts or this manager may not write. */
  async flush(signal: AbortSignal): Promise<void> {
    while (this.#unsaved.size > 0 || this.#isSaving) {
      if (!this.#options.mayWrite()) throw new Error('another manager is the primary now');
      signal.throwIfAborted();
      await this.#savings.wait(signal);
    }
  }

  #save(swarmId: string): void {
    this.#unsaved.add(swarmId);
    this.#startSaving();
  }

  #startSaving(): void {
    if (this.#isSaving || this.#unsaved.size === 0 || !this.#options.mayWrite()) return;
    this.#isSaving = true;
    this.#options.tasks.spawn('keep what containers are made from', async (signal) => {
      try {
        await this.#saveAll(signal);
      } finally {
        this.#isSaving = false;
        if (!signal.aborted) this.#startSaving();
        this.#savings.wake();
      }
    });
  }

  async #saveAll(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ initialMs: 200, maxMs: 10_000 });
    while (!signal.aborted && this.#options.mayWrite()) {
      const [swarmId] = this.#unsaved;
      if (swarmId === undefined) return;
      this.#unsaved.delete(swarmId);
      try {
        await this.#write(swarmId, signal);
        backoff.reset();
      } catch (error) {
        this.#unsaved.add(swarmId);
        if (backoff.failures === 0)
          this.#options.logger.warn('the store does not take what containers are made from', {
            error: errorMessage(error),
          });
        if (error instanceof StateConflict) await this.#seeVersions(signal).catch(() => undefined);
        await sleep(backoff.next(), signal);
      }
    }
  }

  async #write(swarmId: string, signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const kept = this.#kept.get(swarmId);
    const seenVersion = this.#versions.get(swarmId) ?? 0;
    const place = { folder, key: swarmId };
    if (kept === undefined) {
      await store.remove(place, seenVersion, signal);
      this.#versions.delete(swarmId);
      return;
    }
    this.#versions.set(swarmId, await store.write(place, { text: formatKept(kept), seenVersion }, signal));
  }

  /** An earlier write may have come through though its answer was lost. */
  async #seeVersions(signal: AbortSignal): Promise<void> {
    const { documents } = await this.#options.store.read(folder, signal);
    this.#versions = new Map([...documents].map(([key, { version }]) => [key, version]));
  }
}
