// Engines as services of Consul: one service with a TTL check for each engine. Only an orderly withdrawal, told by
// a key of its own, takes an engine away; a store that forgets, restarts or is wiped leaves it a member.
import { sleep } from '../src/common/abort.ts';
import { Backoff } from '../src/common/backoff.ts';
import { badRequest } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';
import {
  factsMeta,
  mergeMembership,
  parseIndex,
  parseModifyIndex,
  parseServices,
  parseWithdrawn,
  splitAnswer,
} from './consul/answer.ts';
import type { ConsulAnswer } from './consul/answer.ts';
import { callConsul, connectConsul, refusalStatus } from './consul/connection.ts';
import type { CallOptions, ConsulServer, TokenSource } from './consul/connection.ts';
import { parseHostPort, sameMembership } from './entry.ts';
import type { HostPort } from './entry.ts';
import type { TlsFiles } from './tls-files.ts';
import { TroubleLog } from './trouble-log.ts';

export interface ConsulBackendOptions extends TokenSource {
  /** Asked in turn: the next one when one does not answer. */
  readonly servers: readonly [HostPort, ...HostPort[]];
  /** Tells clusters in one Consul apart: names the service (`/` becomes `-`) and the folder of keys. */
  readonly prefix: string;
  readonly tls?: TlsFiles;
  readonly logger: Logger;
}

/** How long Consul may hold a blocking query. */
const waitSeconds = 30;
/** While engines are missing without having been withdrawn, a late withdrawal shows as no change of the service. */
const waitSecondsWhileMissing = 5;
/** Consul adds up to a sixteenth of the wait; the rest is for the answer itself. */
const blockingTimeoutMs = (waitSeconds * 17 * 1000) / 16 + 10_000;
const requestTimeoutMs = 10_000;
/** A burst of changes is read a few times a second, not once a change. */
const pauseBetweenQueriesMs = 250;
/** Consul forgets an engine that nobody has vouched for this long; a manager that knows it keeps it. */
const forgetAfter = '72h';

export class ConsulBackend implements DiscoveryBackend {
  readonly name = 'consul';
  readonly #options: ConsulBackendOptions;
  readonly #service: string;
  readonly #servers: readonly ConsulServer[];
  readonly #trouble: TroubleLog;
  /** What this process has registered, by address. */
  readonly #registered = new Map<string, Registration>();
  #active = 0;

  /** Throws a 400 of one line when the prefix is no name or a certificate file cannot be read. */
  constructor(options: ConsulBackendOptions) {
    this.#options = options;
    this.#service = serviceName(options.prefix);
    this.#servers = connectConsul(options.servers, options.tls ?? {});
    this.#trouble = new TroubleLog(options.logger.child({ discovery: 'consul' }), 'the discovery store');
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    const backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
    let known: readonly DiscoveryEntry[] | undefined;
    let position: QueryPosition = { index: 0, hasMissing: false };
    while (!signal.aborted) {
      const answer = await this.#tryQuery(position, signal);
      if (!answer) {
        // The server that answers next may have been restored from an older state, where this index lies ahead.
        position = { ...position, index: 0 };
        await sleep(backoff.next(), signal);
        continue;
      }
      backoff.reset();
      const { entries, hasMissing } = mergeMembership(known ?? [], answer);
      position = { index: answer.index < position.index ? 0 : answer.index, hasMissing };
      if (!known || !sameMembership(known, entries)) {
        known = entries;
        yield known;
      }
      await sleep(pauseBetweenQueriesMs, signal);
    }
  }

  async register(entry: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void> {
    const server = this.#server();
    const known = this.#registered.get(entry.address);
    try {
      const isKnown = known?.server === server && known.ttlMs === ttlMs && known.facts === entry.facts;
      if (isKnown && (await this.#beat(server, entry, signal))) return;
      await this.#announce(server, entry, ttlMs, signal);
      // Consul keeps the state of a check over its own restart only once the check was set, not when it was made.
      await this.#beat(server, entry, signal);
      this.#registered.set(entry.address, { server, ttlMs, facts: entry.facts });
    } catch (error) {
      this.#moveOn(server, error);
      throw error;
    }
  }

  async deregister(entry: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    const key = this.#withdrawnKey(entry.address);
    const id = this.#serviceId(entry.address);
    const home = this.#registered.get(entry.address)?.server ?? this.#server();
    // The word comes before the deed: a manager that sees the service vanish must find out why.
    await this.#onAnyServer(home, (server) =>
      this.#call(signal, (call) => server.client.kv.set({ ...call, key, value: 'withdrawn' })),
    );
    await this.#call(signal, (call) => home.client.agent.service.deregister({ ...call, id })).catch(
      (error: unknown) => {
        // A service of another of Consul's agents, or of none any more: the word is enough.
        if (refusalStatus(error) === undefined) throw error;
      },
    );
    this.#registered.delete(entry.address);
  }

  /** Refreshes the check; false when the server refuses, most often because it has forgotten the service. */
  async #beat(server: ConsulServer, entry: DiscoveryEntry, signal: AbortSignal): Promise<boolean> {
    const { check } = server.client.agent;
    const about = { id: `service:${this.#serviceId(entry.address)}`, note: checkNote(entry) };
    try {
      await this.#call(signal, (call) =>
        entry.alive ? check.pass({ ...call, ...about }) : check.fail({ ...call, ...about }),
      );
      return true;
    } catch (error) {
      if (refusalStatus(error) === undefined) throw error;
      return false;
    }
  }

  async #announce(server: ConsulServer, entry: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void> {
    const { host, port } = parseHostPort(entry.address);
    const check = {
      name: 'docker engine',
      ttl: `${ttlMs}ms`,
      // The package's types ask for it; Consul has no timeout on a TTL check.
      timeout: '',
      status: entry.alive ? 'passing' : 'critical',
      notes: 'set by the agent beside the engine',
      deregistercriticalserviceafter: forgetAfter,
    };
    const meta = factsMeta(entry.facts ?? '');
    const service = { name: this.#service, id: this.#serviceId(entry.address), address: host, port, check, meta };
    await this.#takeBackWithdrawal(server, entry, signal);
    await this.#call(signal, (call) => server.client.agent.service.register({ ...call, ...service }));
  }

  /** Removes the very withdrawal that it has seen: a request that was given up may still be carried out much later. */
  async #takeBackWithdrawal(server: ConsulServer, entry: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    const key = this.#withdrawnKey(entry.address);
    const { kv } = server.client;
    const seen: unknown = await this.#call(signal, (call) => kv.get({ ...call, key }));
    const cas = parseModifyIndex(splitAnswer(seen).body);
    if (cas !== undefined) await this.#call(signal, (call) => kv.del({ ...call, key, cas }));
  }

  async #tryQuery(position: QueryPosition, signal: AbortSignal): Promise<ConsulAnswer | undefined> {
    const server = this.#server();
    try {
      const answer = await this.#query(server, position, signal);
      this.#trouble.succeeded({ server: server.name });
      return answer;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#trouble.failed(error, { server: server.name });
      this.#moveOn(server, error);
      return undefined;
    }
  }

  /** What `server` says now, or, after a position, as soon as that differs from what it said there. */
  async #query(server: ConsulServer, { index, hasMissing }: QueryPosition, signal: AbortSignal): Promise<ConsulAnswer> {
    const wait = `${hasMissing ? waitSecondsWhileMissing : waitSeconds}s`;
    const blocking = index > 0 ? { index: String(index), wait } : {};
    const answer: unknown = await this.#call(
      signal,
      (call) => server.client.health.service({ ...call, ...blocking, service: this.#service }),
      blockingTimeoutMs,
    );
    const { headers, body } = splitAnswer(answer);
    const announced = parseServices(body);
    return { index: parseIndex(headers), announced, withdrawn: await this.#withdrawn(server, signal) };
  }

  async #withdrawn(server: ConsulServer, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const folder = this.#withdrawnKey('');
    try {
      const answer: unknown = await this.#call(signal, (call) => server.client.kv.keys({ ...call, key: folder }));
      return parseWithdrawn(splitAnswer(answer).body, folder);
    } catch (error) {
      if (refusalStatus(error) === 404) return new Set();
      throw error;
    }
  }

  async #onAnyServer(first: ConsulServer, work: (server: ConsulServer) => Promise<unknown>): Promise<void> {
    const failures: unknown[] = [];
    for (const server of [first, ...this.#servers.filter((other) => other !== first)]) {
      try {
        await work(server);
        return;
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures);
  }

  #call<T>(
    signal: AbortSignal,
    request: (call: CallOptions) => Promise<T>,
    timeoutMs: number = requestTimeoutMs,
  ): Promise<T> {
    return callConsul(this.#options, timeoutMs, signal, request);
  }

  #server(): ConsulServer {
    const server = this.#servers[this.#active];
    if (!server) throw badRequest('consul discovery needs a server');
    return server;
  }

  /** Turns to the next server, unless `error` is a plain refusal (a wrong token), which every server would give. */
  #moveOn(failed: ConsulServer, error: unknown): void {
    const status = refusalStatus(error);
    const isRefusal = status !== undefined && status < 500;
    if (!isRefusal && this.#server() === failed) this.#active = (this.#active + 1) % this.#servers.length;
  }

  #serviceId(address: string): string {
    return `${this.#service}-${address}`;
  }

  #withdrawnKey(address: string): string {
    return `${this.#options.prefix}/withdrawn/${address}`;
  }
}

interface Registration {
  readonly server: ConsulServer;
  readonly ttlMs: number;
  readonly facts: string | undefined;
}

interface QueryPosition {
  /** 0 asks for an answer at once. */
  readonly index: number;
  /** An engine is a member only because it was never withdrawn. */
  readonly hasMissing: boolean;
}

function serviceName(prefix: string): string {
  if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/.test(prefix)) {
    throw badRequest(`invalid consul prefix ${JSON.stringify(prefix)}: letters, digits, "-", "_" and "/" are accepted`);
  }
  return prefix.replaceAll('/', '-');
}

function checkNote(entry: DiscoveryEntry): string {
  return entry.alive ? 'the engine answers' : 'the engine does not answer';
}
