// State in Consul's keys, below the prefix of the cluster: every manager of the cluster sees the same. Consul checks
// the version of each change itself.
import { sleep } from '../../src/common/abort.ts';
import { Backoff } from '../../src/common/backoff.ts';
import { badRequest } from '../../src/common/errors.ts';
import type { Logger } from '../../src/common/logger.ts';
import { parseIndex, splitAnswer } from '../consul/answer.ts';
import { callConsul, connectConsul, refusalStatus } from '../consul/connection.ts';
import type { CallOptions, ConsulServer, TokenSource } from '../consul/connection.ts';
import type { HostPort } from '../entry.ts';
import {
  StateConflict,
  type StateDocument,
  type StateFolder,
  type StatePlace,
  type StateStore,
} from '../state-store.ts';
import type { TlsFiles } from '../tls-files.ts';
import { TroubleLog } from '../trouble-log.ts';

export interface ConsulStateOptions extends TokenSource {
  readonly servers: readonly [HostPort, ...HostPort[]];
  readonly prefix: string;
  readonly tls?: TlsFiles;
  readonly logger: Logger;
}

const waitSeconds = 30;
/** Consul adds up to a sixteenth of the wait; the rest is for the answer itself. */
const blockingTimeoutMs = (waitSeconds * 17 * 1000) / 16 + 10_000;
const requestTimeoutMs = 10_000;
const pauseBetweenQueriesMs = 100;

export class ConsulState implements StateStore {
  readonly name = 'consul';
  readonly #options: ConsulStateOptions;
  readonly #servers: readonly ConsulServer[];
  readonly #trouble: TroubleLog;
  #active = 0;

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor(options: ConsulStateOptions) {
    this.#options = options;
    this.#servers = connectConsul(options.servers, options.tls ?? {});
    this.#trouble = new TroubleLog(options.logger.child({ state: 'consul' }), 'the store of states');
  }

  async read(folder: string, signal: AbortSignal): Promise<StateFolder> {
    return await this.#query(folder, 0, signal);
  }

  async write(
    place: StatePlace,
    { text, seenVersion }: { readonly text: string; readonly seenVersion: number },
    signal: AbortSignal,
  ): Promise<number> {
    const key = this.#key(place);
    const set = await this.#ask(signal, ({ client }, call) =>
      client.kv.set({ ...call, key, value: text, cas: seenVersion }),
    );
    if (set !== true) throw new StateConflict(place);
    // Consul does not tell the version that it gave; whoever was quicker with another change is found out by the next.
    const [document] = parseDocuments(
      [await this.#ask(signal, ({ client }, call) => client.kv.get({ ...call, key }))],
      key,
    );
    return document?.[1].version ?? 0;
  }

  async remove(place: StatePlace, seenVersion: number, signal: AbortSignal): Promise<void> {
    const key = this.#key(place);
    const removed = await this.#ask(signal, ({ client }, call) => client.kv.del({ ...call, key, cas: seenVersion }));
    if (removed === false) throw new StateConflict(place);
  }

  async *watch(folder: string, signal: AbortSignal): AsyncGenerator<StateFolder> {
    const backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
    let index = 0;
    while (!signal.aborted) {
      const found = await this.#tryQuery(folder, index, signal);
      if (found === undefined) {
        index = 0;
        await sleep(backoff.next(), signal);
        continue;
      }
      backoff.reset();
      if (found.version !== index || index === 0) yield found;
      // Consul's index may go back when its servers were restored from an older state.
      index = found.version < index ? 0 : found.version;
      await sleep(pauseBetweenQueriesMs, signal);
    }
  }

  async #tryQuery(folder: string, index: number, signal: AbortSignal): Promise<StateFolder | undefined> {
    try {
      const found = await this.#query(folder, index, signal);
      this.#trouble.succeeded();
      return found;
    } catch (error) {
      if (!signal.aborted) this.#trouble.failed(error);
      return undefined;
    }
  }

  async #query(folder: string, index: number, signal: AbortSignal): Promise<StateFolder> {
    const key = this.#key({ folder, key: '' });
    const blocking = index > 0 ? { index: String(index), wait: `${waitSeconds}s` } : {};
    const answer = await this.#call(
      signal,
      ({ client }, call) => client.kv.get({ ...call, ...blocking, key, recurse: true }),
      blockingTimeoutMs,
    );
    const { headers, body } = splitAnswer(answer);
    return { version: parseIndex(headers), documents: new Map(parseDocuments(body, key)) };
  }

  async #ask(
    signal: AbortSignal,
    request: (server: ConsulServer, call: CallOptions) => Promise<unknown>,
  ): Promise<unknown> {
    return splitAnswer(await this.#call(signal, request, requestTimeoutMs)).body;
  }

  /** The next server is asked the next time when this one does not answer. */
  async #call(
    signal: AbortSignal,
    request: (server: ConsulServer, call: CallOptions) => Promise<unknown>,
    timeoutMs: number,
  ): Promise<unknown> {
    const server = this.#servers[this.#active];
    if (server === undefined) throw badRequest('consul needs a server');
    try {
      return await callConsul(this.#options, timeoutMs, signal, (call) => request(server, call));
    } catch (error) {
      const status = refusalStatus(error);
      const isRefusal = status !== undefined && status < 500;
      if (!isRefusal && this.#servers[this.#active] === server)
        this.#active = (this.#active + 1) % this.#servers.length;
      throw error;
    }
  }

  #key({ folder, key }: StatePlace): string {
    return `${this.#options.prefix}/state/${folder}/${escapeKey(key)}`;
  }
}

/** A key as one segment of a path that no client or server decodes on the way. */
function escapeKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%', '=');
}

function parseDocuments(body: unknown, folder: string): (readonly [string, StateDocument])[] {
  const items: readonly unknown[] = Array.isArray(body) ? body : [];
  return items.flatMap((item) => {
    if (typeof item !== 'object' || item === null) return [];
    const { Key: key, Value: text, ModifyIndex: version } = Object.fromEntries(Object.entries(item));
    if (typeof key !== 'string' || typeof text !== 'string' || typeof version !== 'number') return [];
    return [[decodeURIComponent(key.slice(folder.length).replaceAll('=', '%')), { text, version }] as const];
  });
}
