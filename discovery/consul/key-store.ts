// Keys of Consul, which checks the version of each change itself.
import type { KeyRange, KeyReading, KeyStore, KeyText, KeyWait } from '../key-store.ts';
import { ServerTurns } from '../server-turns.ts';
import { parseIndex, parseTexts, splitAnswer } from './answer.ts';
import { callConsul, connectConsul, isRefusal } from './connection.ts';
import type { CallOptions, ConsulConnection, ConsulServer } from './connection.ts';

const requestTimeoutMs = 10_000;

export class ConsulKeyStore implements KeyStore {
  readonly name = 'consul';
  readonly #connection: ConsulConnection;
  readonly #servers: ServerTurns<ConsulServer>;

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor(connection: ConsulConnection) {
    this.#connection = connection;
    this.#servers = new ServerTurns(connectConsul(connection));
  }

  async read(range: KeyRange, wait: KeyWait | undefined, signal: AbortSignal): Promise<KeyReading> {
    const where = 'key' in range ? range : { key: `${range.below}/`, recurse: true };
    // Whoever reads once must see what was written last, which a leader that was cut off may not know.
    const mode = wait ? { index: String(wait.position), wait: `${Math.ceil(wait.waitMs)}ms` } : { consistent: true };
    // Consul adds up to a sixteenth of the wait.
    const timeoutMs = requestTimeoutMs + ((wait?.waitMs ?? 0) * 17) / 16;
    // A wait that its caller ends says nothing of the server.
    const isNoFault = (error: unknown): boolean => isRefusal(error) || (wait !== undefined && signal.aborted);
    const answer = await this.#servers.ask(
      ({ client }) =>
        callConsul<unknown>(this.#connection, timeoutMs, signal, (call) =>
          client.kv.get({ ...call, ...where, ...mode }),
        ),
      isNoFault,
    );
    const { headers, body } = splitAnswer(answer);
    return { position: parseIndex(headers), texts: parseTexts(body) };
  }

  async write(key: string, { text, version }: KeyText, signal: AbortSignal): Promise<number | undefined> {
    return await this.#servers.ask(async ({ client }) => {
      const set = await this.#call(signal, (call) => client.kv.set({ ...call, key, value: text, cas: version }));
      if (set !== true) return undefined;
      // Consul does not tell the version that it made; another text means that it was changed again since.
      const written = parseTexts(await this.#call(signal, (call) => client.kv.get({ ...call, key }))).get(key);
      return written?.text === text ? written.version : undefined;
    }, isRefusal);
  }

  async remove(key: string, version: number, signal: AbortSignal): Promise<boolean> {
    return await this.#servers.ask(async ({ client }) => {
      return (await this.#call(signal, (call) => client.kv.del({ ...call, key, cas: version }))) !== false;
    }, isRefusal);
  }

  async put(key: string, text: string, signal: AbortSignal): Promise<void> {
    await this.#servers.ask(async ({ client }) => {
      const set = await this.#call(signal, (call) => client.kv.set({ ...call, key, value: text }));
      if (set !== true) throw new Error(`consul does not keep ${key}`);
    }, isRefusal);
  }

  async drop(key: string, signal: AbortSignal): Promise<void> {
    await this.#servers.ask(
      async ({ client }) => await this.#call(signal, (call) => client.kv.del({ ...call, key })),
      isRefusal,
    );
  }

  async #call(signal: AbortSignal, request: (call: CallOptions) => Promise<unknown>): Promise<unknown> {
    return splitAnswer(await callConsul(this.#connection, requestTimeoutMs, signal, request)).body;
  }
}
