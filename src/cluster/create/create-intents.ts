// Which creates are under way, told to the store before an engine hears of them: a manager that comes after a crash
// knows the names and keys for which a container may still come. One text of each manager, written for all that came
// since the last writing began, so that many creates at once cost one write; what is over is told a moment later.
import { randomBytes } from 'node:crypto';
import type { StateStore } from '../../../discovery/state-store.ts';
import { sleep } from '../../common/abort.ts';
import { Backoff } from '../../common/backoff.ts';
import { ApiError, errorMessage } from '../../common/errors.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import type { Logger } from '../../common/logger.ts';
import { formatIntents, parseIntents, type CreateIntent } from './create-intent.ts';

export interface CreateIntentsOptions {
  readonly store: StateStore;
  /** Another one whenever another manager may have created containers since. */
  readonly term: () => number;
  /** Several managers: without the store none of them creates anything. A single one does, at its own risk. */
  readonly isShared: boolean;
  /** Holds, before it returns, what managers before this one left under way; resolves when that is certain. */
  readonly adopt: (intents: readonly CreateIntent[]) => Promise<void>;
  readonly tasks: TaskSet;
  readonly logger: Logger;
}

const folder = 'creates';
const storeTimeoutMs = 3_000;
/** A store that did not answer is not waited for again so soon. */
const silentMs = 5_000;
const tidyAfterMs = 1_000;
/** Consul takes 512 KiB. */
const mostOpen = 1_500;

export class CreateIntents {
  readonly #options: CreateIntentsOptions;
  readonly #key = randomBytes(8).toString('hex');
  /** By swarm id. */
  readonly #open = new Map<string, CreateIntent>();
  #knownTerm: number | undefined;
  #loading: Promise<void> | undefined;
  #lastWriting: Promise<unknown> = Promise.resolve();
  #nextWriting: Promise<void> | undefined;
  #isWritten = false;
  #isTidying = false;
  #silentUntilMs = -Infinity;

  constructor(options: CreateIntentsOptions) {
    this.#options = options;
  }

  /** Resolves once it is known here what managers before this one left under way. Throws 503 when the store of several managers does not tell. */
  async ready(): Promise<void> {
    if (this.#knownTerm === this.#options.term()) return;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  /** Resolves when the engine may be told. Throws 503 when several managers have no store, or another one was the primary meanwhile. */
  async open(intent: CreateIntent): Promise<void> {
    if (this.#open.size >= mostOpen) throw new ApiError(503, 'too many containers are being created: try again');
    this.#open.set(intent.swarmId, intent);
    try {
      await this.#tell();
      if (this.#knownTerm !== this.#options.term())
        throw new ApiError(503, 'another manager was the primary meanwhile: try again');
    } catch (error) {
      this.close(intent.swarmId);
      throw error;
    }
  }

  /** It is certain what became of the create. */
  close(swarmId: string): void {
    if (!this.#open.delete(swarmId) || this.#isTidying) return;
    this.#isTidying = true;
    this.#options.tasks.spawn('forget creates', async (signal) => {
      await sleep(tidyAfterMs, signal);
      this.#isTidying = false;
      await this.#tidy(signal);
    });
  }

  /** Tells the store what is still under way, and resolves when it has heard or does not answer. */
  async stop(): Promise<void> {
    if (this.#isWritten) await this.#save().catch(() => undefined);
  }

  async #tell(): Promise<void> {
    const { isShared, logger } = this.#options;
    if (!isShared && performance.now() < this.#silentUntilMs) return;
    try {
      await this.#save();
    } catch (error) {
      if (isShared) throw new ApiError(503, 'the store does not answer, and nothing is created without it: try again');
      if (this.#silentUntilMs === -Infinity)
        logger.warn('the store does not take which containers are being created', { error: errorMessage(error) });
      this.#silentUntilMs = performance.now() + silentMs;
    }
  }

  async #tidy(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ initialMs: tidyAfterMs, maxMs: 30_000 });
    while (!signal.aborted && this.#isWritten) {
      try {
        await this.#save();
        return;
      } catch {
        await sleep(backoff.next(), signal);
      }
    }
  }

  async #load(): Promise<void> {
    const { store, term, isShared, logger } = this.#options;
    const loaded = term();
    try {
      const { documents } = await store.read(folder, AbortSignal.timeout(storeTimeoutMs));
      this.#adopt(new Map([...documents].filter(([key]) => key !== this.#key).map(([key, { text }]) => [key, text])));
    } catch (error) {
      if (isShared) throw new ApiError(503, 'the store does not tell which containers are being created: try again');
      logger.warn('which containers were being created cannot be read', { error: errorMessage(error) });
    }
    this.#knownTerm = loaded;
  }

  #adopt(texts: ReadonlyMap<string, string>): void {
    if (texts.size === 0) return;
    const { store, adopt, tasks } = this.#options;
    const settled = adopt([...texts.values()].flatMap(parseIntents));
    tasks.spawn('settle creates of managers before this one', async (signal) => {
      await settled;
      if (signal.aborted) return;
      for (const key of texts.keys()) await store.drop({ folder, key }, signal);
    });
  }

  /** Whoever comes while a writing is under way shares the next one. */
  #save(): Promise<void> {
    return (this.#nextWriting ??= this.#writeNext());
  }

  async #writeNext(): Promise<void> {
    await this.#lastWriting;
    this.#nextWriting = undefined;
    const writing = this.#write();
    this.#lastWriting = writing.catch(() => undefined);
    await writing;
  }

  async #write(): Promise<void> {
    const { store } = this.#options;
    const place = { folder, key: this.#key };
    const signal = AbortSignal.timeout(storeTimeoutMs);
    const hasAny = this.#open.size > 0;
    if (!hasAny && !this.#isWritten) return;
    this.#isWritten = true;
    if (hasAny) await store.put(place, formatIntents(this.#open.values()), signal);
    else await store.drop(place, signal);
    this.#isWritten = hasAny;
  }
}
