// Keeps the mirror's containers current: one by one after events and calls, all together at connection and at
// times. A container that the engine cannot inspect keeps its row and stalls nobody else.
import { ApiError } from '../common/errors.ts';
import type { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import type { ContainerRow } from '../docker/types.ts';
import { parseContainerInspect, parseContainerRows } from './answers.ts';
import type { EngineClient } from './client.ts';
import { parseContainerDetails } from './container-details.ts';
import type { ContainerDetails } from './container-details.ts';
import { containerName, sameRow } from './container-record.ts';
import { ContainerRows, rowsPath } from './container-rows.ts';
import { Limiter } from './limiter.ts';
import type { EngineMirror, FetchStart } from './mirror.ts';
import { IncompleteRead, Refresh } from './refresh.ts';
import type { EngineTimings } from './timings.ts';
import { EngineUnreachable } from './unreachable.ts';

/** Every container is inspected, or those whose row changed and a share of the others. */
export type SyncDepth = 'every' | 'changed';

export interface ContainerSyncOptions {
  readonly client: EngineClient;
  readonly mirror: EngineMirror;
  readonly tasks: TaskSet;
  readonly timings: EngineTimings;
  readonly logger: Logger;
}

type Inspected =
  | { readonly kind: 'details'; readonly details: ContainerDetails }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly error: unknown };

interface ContainerAnswers {
  /** undefined: the engine has no such container. */
  readonly row: ContainerRow | undefined;
  readonly inspected: Inspected;
}

interface AnswersSoFar {
  listed?: { readonly row: ContainerRow | undefined };
  inspected?: Inspected;
}

const inspectsAtOnce = 8;
/** Of containers whose inspect was left unanswered the last time. */
const stalledInspectsAtOnce = 2;
/** Asked behind one another. More would save nothing and make the engine's other answers wait. */
const inspectsInOrder = 64;
/** An engine that breaks the order so often is asked for one container at a time. */
const maxFailures = 3;
/** A change that no row shows, as of a memory limit, is found after so many complete refreshes at the latest. */
const roundsUntilAllInspected = 10;

export class ContainerSync {
  readonly #options: ContainerSyncOptions;
  readonly #rows: ContainerRows;
  readonly #inspects = new Limiter(inspectsAtOnce);
  readonly #stalledInspects = new Limiter(stalledInspectsAtOnce);
  readonly #stalled = new Set<string>();
  readonly #refreshes = new Map<string, Refresh>();
  #round = 0;

  constructor(options: ContainerSyncOptions) {
    this.#options = options;
    const { client, tasks, timings } = options;
    this.#rows = new ContainerRows({ client, tasks, listTimeoutMs: timings.listTimeoutMs });
  }

  /** Resolves with true when the mirror shows the container as it is now or newer, with false when it is in vain to wait. */
  async refresh(id: string, signal?: AbortSignal): Promise<boolean> {
    return await this.#refreshOf(id).request(signal);
  }

  /** As `refresh`; the calls that caused an event are about to ask for the same read. */
  async refreshSoon(id: string): Promise<void> {
    await this.#refreshOf(id).requestSoon(this.#options.timings.containerDebounceMs);
  }

  /** Reads all containers. Throws when the list cannot be read, or the connection breaks. */
  async syncAll(depth: SyncDepth, signal: AbortSignal): Promise<void> {
    const { mirror } = this.#options;
    const start = mirror.beginFetch();
    const rows = await this.#rows.loadAll(signal);
    const listed = new Set(rows.map((row) => row.Id));
    mirror.keepOnly(listed, start);
    for (const id of this.#stalled) if (!listed.has(id)) this.#stalled.delete(id);
    this.#round += 1;
    const due = rows.filter((row) => {
      const known = mirror.containers.get(row.Id);
      const isDue = depth === 'every' || shareOf(row.Id) === this.#round % roundsUntilAllInspected;
      return isDue || known?.details === undefined || !sameRow(known.row, row);
    });
    await this.#readAllListed(due, start, signal);
  }

  /** Releases everyone who waits for a refresh, and ends the reads under way. */
  abandon(): void {
    for (const refresh of this.#refreshes.values()) refresh.abandon();
    this.#refreshes.clear();
  }

  #refreshOf(id: string): Refresh {
    const refresh = this.#refreshes.get(id) ?? this.#createRefresh(id);
    this.#refreshes.set(id, refresh);
    return refresh;
  }

  #createRefresh(id: string): Refresh {
    const { tasks, timings, logger } = this.#options;
    const refresh: Refresh = new Refresh({
      name: 'refresh container',
      run: (signal) => this.#readOne(id, signal),
      retry: { initialMs: timings.retryMinMs, maxMs: timings.retryMaxMs },
      tasks,
      onFailure: (error, failures) => {
        if (failures === 1) logger.debug('a container could not be read', { container: id, error });
      },
      onIdle: () => {
        if (this.#refreshes.get(id) === refresh) this.#refreshes.delete(id);
      },
    });
    return refresh;
  }

  async #readOne(id: string, signal: AbortSignal): Promise<void> {
    const { mirror } = this.#options;
    const start = mirror.beginFetch();
    const { row, inspected } = await this.#readRowAndDetails(id, signal);
    signal.throwIfAborted();
    if (row === undefined || inspected.kind === 'absent') {
      mirror.removeContainer(id, start);
      return;
    }
    this.#put(row, inspected, start);
    if (inspected.kind === 'failed') throw new IncompleteRead(inspected.error);
  }

  /** Both questions on one connection where that is possible: two connections would cost nearly twice as much. */
  async #readRowAndDetails(id: string, signal: AbortSignal): Promise<ContainerAnswers> {
    const giveBack = this.#stalled.has(id) ? undefined : this.#rows.takePlace();
    const together = giveBack === undefined ? {} : await this.#readTogether(id, giveBack, signal);
    const [{ row }, inspected] = await Promise.all([
      together.listed ?? this.#rows.load(id, signal).then((row) => ({ row })),
      together.inspected ?? this.#inspect(id, signal),
    ]);
    return { row, inspected };
  }

  /** What does not come this way is to be asked again by itself, which tells what is wrong. */
  async #readTogether(id: string, giveBackPlace: () => void, signal: AbortSignal): Promise<AnswersSoFar> {
    const { client, timings } = this.#options;
    const read: AnswersSoFar = {};
    try {
      await client.readInOrder({
        paths: [rowsPath([id]), inspectPath(id)],
        signal,
        patienceMs: (index) => (index === 0 ? timings.listTimeoutMs : timings.inspectPatienceMs),
        onAnswer: ({ status, body }, index) => {
          if (index === 1) {
            read.inspected = answeredInspect(status, body);
            return;
          }
          giveBackPlace();
          if (status === 200) read.listed = { row: parseContainerRows(body).find((row) => row.Id === id) };
        },
      });
    } finally {
      giveBackPlace();
    }
    return read;
  }

  /** One behind the other; those that got no answer come last, one by one, so that they stall no other. */
  async #readAllListed(rows: readonly ContainerRow[], start: FetchStart, signal: AbortSignal): Promise<void> {
    const alone: ContainerRow[] = [];
    let rest = rows;
    for (let failures = 0; rest.length > 0 && failures < maxFailures;) {
      const asked = rest.slice(0, inspectsInOrder);
      const answered = await this.#readInOrder(asked, start, signal);
      signal.throwIfAborted();
      const unanswered = asked[answered];
      if (unanswered !== undefined) {
        failures += 1;
        alone.push(unanswered);
      }
      rest = rest.slice(answered + 1);
    }
    const next = [...rest, ...alone].values();
    const readOn = async (): Promise<void> => {
      for (const row of next) this.#putListed(row, await this.#inspect(row.Id, signal), start, signal);
    };
    await Promise.all(Array.from({ length: inspectsAtOnce }, readOn));
  }

  /** Resolves with how many of `rows` were answered, from the first on. */
  async #readInOrder(rows: readonly ContainerRow[], start: FetchStart, signal: AbortSignal): Promise<number> {
    const { client, timings } = this.#options;
    return await client.readInOrder({
      paths: rows.map(({ Id }) => inspectPath(Id)),
      signal,
      patienceMs: () => timings.inspectPatienceMs,
      onAnswer: ({ status, body }, index) => {
        const row = rows[index];
        if (row !== undefined) this.#putListed(row, answeredInspect(status, body), start, signal);
      },
    });
  }

  #putListed(row: ContainerRow, inspected: Inspected, start: FetchStart, signal: AbortSignal): void {
    signal.throwIfAborted();
    if (inspected.kind === 'absent') {
      this.#options.mirror.removeContainer(row.Id, start);
      return;
    }
    this.#put(row, inspected, start);
    if (inspected.kind !== 'failed') return;
    this.#options.tasks.spawn('refresh container', async () => {
      await this.refresh(row.Id);
    });
  }

  async #inspect(id: string, signal: AbortSignal): Promise<Inspected> {
    const { client, timings } = this.#options;
    const read = { path: inspectPath(id), signal, timeoutMs: timings.inspectTimeoutMs };
    try {
      const answer = await this.#inTurn(id, () => client.read(read), signal);
      this.#stalled.delete(id);
      return answeredInspect(200, answer);
    } catch (error) {
      if (signal.aborted || isEngineAway(error)) throw error;
      if (error instanceof EngineUnreachable && error.kind === 'timeout') this.#stalled.add(id);
      else this.#stalled.delete(id);
      return error instanceof ApiError && error.status === 404 ? { kind: 'absent' } : { kind: 'failed', error };
    }
  }

  /** An engine may hang over some of its containers; those must not keep the others from being read. */
  async #inTurn<T>(id: string, read: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#stalled.has(id)) return await this.#stalledInspects.run(read, signal);
    return await this.#inspects.run(read, signal, this.#options.timings.inspectPatienceMs);
  }

  #put(row: ContainerRow, inspected: Inspected, start: FetchStart): void {
    const { mirror } = this.#options;
    const details = inspected.kind === 'details' ? inspected.details : this.#lastDetails(row);
    mirror.putContainer({ id: row.Id, name: containerName(row), row, details }, start);
  }

  /** What was read before still holds while the row is the same. */
  #lastDetails(row: ContainerRow): ContainerDetails | undefined {
    const known = this.#options.mirror.containers.get(row.Id);
    return known !== undefined && sameRow(known.row, row) ? known.details : undefined;
  }
}

function inspectPath(id: string): string {
  return `/containers/${id}/json`;
}

function answeredInspect(status: number, body: unknown): Inspected {
  if (status === 404) return { kind: 'absent' };
  try {
    if (status >= 400) throw new ApiError(status, 'the container cannot be inspected');
    return { kind: 'details', details: parseContainerDetails(parseContainerInspect(body)) };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

/** An engine that breaks the connection or is silent over one container may be well otherwise. */
function isEngineAway(error: unknown): boolean {
  return error instanceof EngineUnreachable && (error.kind === 'not-sent' || error.kind === 'aborted');
}

/** By the id and not by the place in the list, which every new container shifts: each one gets its turn. */
function shareOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) % roundsUntilAllInspected || 0;
}
