// Keeps one list of the mirror current: images, networks or volumes. They are small and change seldom, so the
// list is read whole, once for all events that come close together.
import type { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import type { EngineClient } from './client.ts';
import type { EngineMirror, FetchStart } from './mirror.ts';
import { Refresh } from './refresh.ts';
import type { EngineTimings } from './timings.ts';

export interface ListSyncOptions {
  /** With its query string. */
  readonly path: string;
  /** Checks the answer and puts it into the mirror. */
  readonly apply: (body: unknown, start: FetchStart) => void;
  readonly client: EngineClient;
  readonly mirror: EngineMirror;
  readonly tasks: TaskSet;
  readonly timings: EngineTimings;
  readonly logger: Logger;
}

export class ListSync {
  readonly #options: ListSyncOptions;
  readonly #refresh: Refresh;

  constructor(options: ListSyncOptions) {
    this.#options = options;
    const { path, tasks, timings, logger } = options;
    this.#refresh = new Refresh({
      name: 'refresh list',
      run: (signal) => this.load(signal),
      retry: { initialMs: timings.retryMinMs, maxMs: timings.retryMaxMs },
      tasks,
      onFailure: (error, failures) => {
        if (failures === 1) logger.debug('a list could not be read', { path, error });
      },
    });
  }

  /** Reads the list once. Throws when that fails. */
  async load(signal: AbortSignal): Promise<void> {
    const { client, mirror, path, apply, timings } = this.#options;
    const start = mirror.beginFetch();
    const body = await client.read({ path, signal, timeoutMs: timings.listTimeoutMs });
    signal.throwIfAborted();
    apply(body, start);
  }

  /** Resolves when the mirror shows the list as it is now or newer, or when it is in vain to wait. */
  async refresh(signal?: AbortSignal): Promise<void> {
    await this.#refresh.request(signal);
  }

  /** As `refresh`, after the debounce time when nobody is in more of a hurry. */
  async refreshSoon(): Promise<void> {
    await this.#refresh.requestSoon(this.#options.timings.debounceMs);
  }

  abandon(): void {
    this.#refresh.abandon();
  }
}
