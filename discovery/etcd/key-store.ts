// Keys of etcd, changed by transactions that compare the revision of the last change.
import { Deadline, DeadlineExceeded } from '../../src/common/deadline.ts';
import type { KeyRange, KeyReading, KeyStore, KeyText, KeyWait } from '../key-store.ts';
import { jsonMember } from '../json-member.ts';
import { ServerTurns } from '../server-turns.ts';
import { connectEtcd, isRefusal, type EtcdConnection, type EtcdServer } from './gateway.ts';
import { base64, eventsOf, isSucceeded, listOf, parseInt64, parsePosition, textOf } from './keys.ts';

export class EtcdKeyStore implements KeyStore {
  readonly name = 'etcd';
  readonly #servers: ServerTurns<EtcdServer>;

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor(connection: EtcdConnection) {
    this.#servers = new ServerTurns(connectEtcd(connection));
  }

  async read(range: KeyRange, wait: KeyWait | undefined, signal: AbortSignal): Promise<KeyReading> {
    const keys = rangeOf(range);
    // A wait that its caller ends says nothing of the server.
    const isNoFault = (error: unknown): boolean => isRefusal(error) || (wait !== undefined && signal.aborted);
    return await this.#servers.ask(async (server) => {
      if (wait !== undefined) await waitForChange(server, keys, wait, signal);
      const answer = await server.call({ path: 'kv/range', body: keys }, signal);
      return { texts: textsOf(answer), position: Number(parsePosition(answer).revision) };
    }, isNoFault);
  }

  async write(key: string, { text, version }: KeyText, signal: AbortSignal): Promise<number | undefined> {
    const put = { requestPut: { key: base64(key), value: base64(text) } };
    const answer = await this.#change(key, version, put, signal);
    return isSucceeded(answer) ? Number(parsePosition(answer).revision) : undefined;
  }

  async remove(key: string, version: number, signal: AbortSignal): Promise<boolean> {
    const removal = { requestDeleteRange: { key: base64(key) } };
    const answer = await this.#change(key, version, removal, signal);
    const isGone = parseInt64(jsonMember(rangeIn(answer), 'count')) === 0n;
    return isSucceeded(answer) || isGone;
  }

  async put(key: string, text: string, signal: AbortSignal): Promise<void> {
    const body = { key: base64(key), value: base64(text) };
    await this.#servers.ask((server) => server.call({ path: 'kv/put', body }, signal), isRefusal);
  }

  async drop(key: string, signal: AbortSignal): Promise<void> {
    const body = { key: base64(key) };
    await this.#servers.ask((server) => server.call({ path: 'kv/deleterange', body }, signal), isRefusal);
  }

  /** Does nothing but tell whether there is such a key when it has another version. */
  async #change(key: string, version: number, request: object, signal: AbortSignal): Promise<unknown> {
    const isUnchanged = { key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: String(version) };
    const count = { requestRange: { key: base64(key), count_only: true } };
    const body = { compare: [isUnchanged], success: [request], failure: [count] };
    return await this.#servers.ask((server) => server.call({ path: 'kv/txn', body }, signal), isRefusal);
  }
}

interface EtcdRange {
  readonly key: string;
  readonly range_end?: string;
}

function rangeOf(range: KeyRange): EtcdRange {
  if ('key' in range) return { key: base64(range.key) };
  // What follows "/" in the alphabet ends what begins with it.
  return { key: base64(`${range.below}/`), range_end: base64(`${range.below}0`) };
}

/** Ends without a word, too, when the wait is over, and when etcd has thrown away what it would have to tell. */
async function waitForChange(
  server: EtcdServer,
  range: EtcdRange,
  { position, waitMs }: KeyWait,
  signal: AbortSignal,
): Promise<void> {
  const limit = new Deadline(waitMs, [signal]);
  const body = { create_request: { ...range, start_revision: String(position + 1) } };
  try {
    for await (const message of server.stream({ path: 'watch', body }, limit.signal)) {
      if (isCompacted(message) || eventsOf(message).length > 0) return;
    }
  } catch (error) {
    if (!(limit.signal.reason instanceof DeadlineExceeded)) throw error;
  } finally {
    limit.clear();
  }
}

function isCompacted(message: unknown): boolean {
  return parseInt64(jsonMember(jsonMember(message, 'result'), 'compact_revision')) > 0n;
}

function textsOf(answer: unknown): ReadonlyMap<string, KeyText> {
  return new Map(
    listOf(jsonMember(answer, 'kvs')).map((pair) => [
      textOf(jsonMember(pair, 'key')),
      {
        text: textOf(jsonMember(pair, 'value')),
        version: Number(parseInt64(jsonMember(pair, 'mod_revision'))),
      },
    ]),
  );
}

function rangeIn(answer: unknown): unknown {
  const [response] = listOf(jsonMember(answer, 'responses'));
  return jsonMember(response, 'response_range');
}
