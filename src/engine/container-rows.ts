// List rows of single containers. Questions that come while lists are under way are gathered into one list,
// and a crowd of them into a complete one, so that a burst of events does not become a burst of calls.
import { orAborted, withResolvers } from '../common/abort.ts';
import type { Resolvers } from '../common/abort.ts';
import type { TaskSet } from '../common/lifecycle.ts';
import type { ContainerRow } from '../docker/types.ts';
import { parseContainerRows } from './answers.ts';
import type { EngineClient } from './client.ts';

/** More ids than these do not fit well into a query string. */
const maxNamedIds = 64;
const maxListsAtOnce = 2;

type Batch = Map<string, Resolvers<ContainerRow | undefined>[]>;

export interface ContainerRowsOptions {
  readonly client: EngineClient;
  readonly tasks: TaskSet;
  readonly listTimeoutMs: number;
}

export class ContainerRows {
  readonly #options: ContainerRowsOptions;
  #pending: Batch = new Map();
  #listsUnderWay = 0;

  constructor(options: ContainerRowsOptions) {
    this.#options = options;
  }

  /** The row as it is now or later; undefined when the engine has no such container. */
  async load(id: string, signal: AbortSignal): Promise<ContainerRow | undefined> {
    signal.throwIfAborted();
    this.#options.tasks.signal.throwIfAborted();
    const asked = withResolvers<ContainerRow | undefined>();
    this.#pending.set(id, [...(this.#pending.get(id) ?? []), asked]);
    this.#startList();
    return await orAborted(asked.promise, signal);
  }

  /** Every row, in the engine's order. */
  async loadAll(signal: AbortSignal): Promise<readonly ContainerRow[]> {
    return await this.#list(undefined, signal);
  }

  /** A place for a list that the caller reads himself. Returns what gives it back, as often as it is called; undefined while questions are better gathered. */
  takePlace(): (() => void) | undefined {
    if (this.#listsUnderWay >= maxListsAtOnce) return undefined;
    this.#listsUnderWay += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#listsUnderWay -= 1;
      this.#startList();
    };
  }

  #startList(): void {
    if (this.#listsUnderWay >= maxListsAtOnce || this.#pending.size === 0) return;
    const batch = this.#pending;
    this.#pending = new Map();
    this.#listsUnderWay += 1;
    this.#options.tasks.spawn('list containers', async (signal) => {
      await this.#answer(batch, signal);
      this.#listsUnderWay -= 1;
      this.#startList();
    });
  }

  async #answer(batch: Batch, signal: AbortSignal): Promise<void> {
    try {
      const rows = await this.#list(batch.size > maxNamedIds ? undefined : [...batch.keys()], signal);
      const byId = new Map(rows.map((row) => [row.Id, row]));
      for (const [id, asked] of batch) for (const { resolve } of asked) resolve(byId.get(id));
    } catch (error) {
      for (const { reject } of [...batch.values()].flat()) reject(error);
    }
  }

  async #list(ids: readonly string[] | undefined, signal: AbortSignal): Promise<readonly ContainerRow[]> {
    const timeoutMs = this.#options.listTimeoutMs;
    const body = await this.#options.client.read({ path: rowsPath(ids), signal, timeoutMs });
    return parseContainerRows(body);
  }
}

/** Of all containers, where no ids are given. */
export function rowsPath(ids: readonly string[] | undefined): string {
  const filters = ids === undefined ? '' : `&filters=${encodeURIComponent(JSON.stringify({ id: ids }))}`;
  return `/containers/json?all=1${filters}`;
}
