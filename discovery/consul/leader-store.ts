// The text of an election as one key of Consul, changed by compare-and-set alone.
import type { HostPort } from '../entry.ts';
import type { LeaderRead, LeaderStore, LeaderText } from '../leadership.ts';
import type { TlsFiles } from '../tls-files.ts';
import { parseIndex, parseKey, splitAnswer } from './answer.ts';
import { callConsul, connectConsul, refusalStatus, type ConsulServer, type TokenSource } from './connection.ts';

export interface ConsulLeaderOptions extends TokenSource {
  /** Asked in turn: the next one when one does not answer. */
  readonly servers: readonly [HostPort, ...HostPort[]];
  readonly key: string;
  readonly tls?: TlsFiles;
}

/** The caller's signal comes first: it knows how long its lease lasts. */
const requestTimeoutMs = 60_000;

export class ConsulLeaderStore implements LeaderStore {
  readonly name = 'consul';
  readonly #options: ConsulLeaderOptions;
  readonly #servers: readonly ConsulServer[];
  /** Consul's position of the version that was read last. */
  #position: { readonly version: number; readonly index: number } | undefined;
  #active = 0;

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor(options: ConsulLeaderOptions) {
    this.#options = options;
    this.#servers = connectConsul(options.servers, options.tls ?? {});
  }

  async read({ unlike, waitMs }: LeaderRead, signal: AbortSignal): Promise<LeaderText> {
    const position = this.#position;
    const mayWait = waitMs > 0 && position !== undefined && position.version === unlike;
    const blocking = mayWait ? { index: String(position.index), wait: `${Math.ceil(waitMs)}ms` } : {};
    return await this.#onServer(!mayWait, signal, async (server) => await this.#get(server, blocking, signal));
  }

  async write(text: string, version: number, signal: AbortSignal): Promise<number | undefined> {
    const { key } = this.#options;
    return await this.#onServer(true, signal, async (server) => {
      const answer: unknown = await callConsul(this.#options, requestTimeoutMs, signal, (call) =>
        server.client.kv.set({ ...call, key, value: text, cas: version }),
      );
      if (splitAnswer(answer).body !== true) return undefined;
      // Consul does not tell the version that it made; another text means that it was changed again since.
      const written = await this.#get(server, {}, signal);
      return written.text === text ? written.version : undefined;
    });
  }

  async #get(server: ConsulServer, blocking: BlockingQuery, signal: AbortSignal): Promise<LeaderText> {
    const { key } = this.#options;
    const answer: unknown = await callConsul(this.#options, requestTimeoutMs, signal, (call) =>
      server.client.kv.get({ ...call, ...blocking, key }),
    );
    const { headers, body } = splitAnswer(answer);
    const found = parseKey(body);
    this.#position = { version: found.version, index: parseIndex(headers) };
    return found;
  }

  /** Turns to the next server after a failure, unless it is a plain refusal, or the end of a wait that nothing came of. */
  async #onServer<T>(isPrompt: boolean, signal: AbortSignal, work: (server: ConsulServer) => Promise<T>): Promise<T> {
    const server = this.#servers[this.#active];
    if (server === undefined) throw new Error('consul needs a server');
    try {
      return await work(server);
    } catch (error) {
      const status = refusalStatus(error);
      const isRefusal = status !== undefined && status < 500;
      if (!isRefusal && (isPrompt || !signal.aborted)) {
        this.#active = (this.#active + 1) % this.#servers.length;
        this.#position = undefined;
      }
      throw error;
    }
  }
}

interface BlockingQuery {
  readonly index?: string;
  readonly wait?: string;
}
