// Engines as services of Consul: one service with a TTL check for each engine. Only an orderly withdrawal, told by
// a key of its own, takes an engine away; a store that forgets, restarts or is wiped leaves it a member.
import { sleep } from '../src/common/abort.ts';
import { badRequest } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend, DiscoveryEntry, PublishedService } from './backend.ts';
import {
  factsMeta,
  parseClassicNodes,
  parseIndex,
  parseKeys,
  parseModifyIndex,
  parseServices,
  splitAnswer,
} from './consul/answer.ts';
import { callConsul, connectConsul, isRefusal, refusalStatus } from './consul/connection.ts';
import type { CallOptions, ConsulConnection, ConsulServer } from './consul/connection.ts';
import { latestOf } from './consul/latest-of.ts';
import { ConsulServices, type ConsulCall } from './consul/services.ts';
import { parseHostPort } from './entry.ts';
import { followStore } from './follow-store.ts';
import { ServerTurns } from './server-turns.ts';
import type { StoreView } from './store-view.ts';
import { TroubleLog } from './trouble-log.ts';

export interface ConsulBackendOptions extends ConsulConnection {
  /** Tells clusters in one Consul apart: names the service (`/` becomes `-`) and the folder of keys. */
  readonly prefix: string;
  /** The folder of keys where classicswarm's agents announce engines. */
  readonly classicFolder: string;
  readonly logger: Logger;
}

/**
 * How long Consul may hold a blocking query. What it answers then has all engines though nothing has changed, 800 KB of a
 * thousand; a server that hangs is noticed by a check long before.
 */
const waitSeconds = 120;
/** Consul adds up to a sixteenth of the wait; the rest is for the answer itself. */
const blockingTimeoutMs = (waitSeconds * 17 * 1000) / 16 + 10_000;
const requestTimeoutMs = 5_000;
/**
 * A burst of changes is read a few times a second, not once a change, and not by all managers at once. Every answer holds all
 * engines: many of them are read less often, by a millisecond for each.
 */
const pauseBetweenQueriesMs = { least: 200, most: 400 };
/** Consul forgets an engine that nobody has vouched for this long; a manager that knows it keeps it. */
const forgetAfter = '72h';

export class ConsulBackend implements DiscoveryBackend {
  readonly name = 'consul';
  readonly #options: ConsulBackendOptions;
  readonly #service: string;
  readonly #servers: ServerTurns<ConsulServer>;
  readonly #trouble: TroubleLog;
  /** What this process has registered, by address. */
  readonly #registered = new Map<string, Registration>();
  /** The engines beside which services of containers were published, by address. */
  readonly #publishing = new Set<string>();

  /** Throws a 400 of one line when the prefix is no name or a certificate file cannot be read. */
  constructor(options: ConsulBackendOptions) {
    this.#options = options;
    this.#service = serviceName(options.prefix);
    this.#servers = new ServerTurns(connectConsul(options));
    this.#trouble = new TroubleLog(options.logger.child({ discovery: 'consul' }), 'the discovery store');
  }

  get silentSince(): Date | undefined {
    return this.#trouble.since;
  }

  watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    let server = this.#servers.current;
    const reader = {
      get server() {
        return server.name;
      },
      views: (over: AbortSignal) => {
        server = this.#servers.current;
        return this.#views(server, over);
      },
      check: (over: AbortSignal) => this.#check(server, over),
      failed: (error: unknown) => {
        this.#moveOn(server, error);
      },
    };
    return followStore(reader, this.#trouble, signal);
  }

  async register(entry: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void> {
    const server = this.#servers.current;
    const known = this.#registered.get(entry.address);
    try {
      const here = known?.server === server ? known : undefined;
      const isKnown = here?.ttlMs === ttlMs && here.facts === entry.facts;
      if (isKnown && (await this.#beat(server, entry, signal))) return;
      await this.#announce(server, entry, ttlMs, signal);
      // Consul keeps the state of a check over its own restart only once the check was set, not when it was made.
      await this.#beat(server, entry, signal);
      const services = here && !isKnown ? here.services : this.#servicesOf(server, entry.address);
      this.#registered.set(entry.address, { server, ttlMs, facts: entry.facts, services });
    } catch (error) {
      this.#moveOn(server, error);
      throw error;
    }
  }

  async publish(address: string, services: readonly PublishedService[], signal: AbortSignal): Promise<boolean> {
    this.#publishing.add(address);
    const registration = this.#registered.get(address);
    await registration?.services.publish(services, signal);
    return registration !== undefined;
  }

  async deregister(entry: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    const key = this.#withdrawnKey(entry.address);
    const id = this.#serviceId(entry.address);
    const home = this.#registered.get(entry.address)?.server ?? this.#servers.current;
    // The word comes before the deed: a manager that sees the service vanish must find out why.
    await this.#onAnyServer(home, (server) =>
      this.#call(signal, (call) => server.client.kv.set({ ...call, key, value: 'withdrawn' })),
    );
    // Before the engine: for an alias of a service that is gone, nothing is ever wrong.
    if (this.#publishing.has(entry.address)) await this.publish(entry.address, [], signal);
    await this.#call(signal, (call) => home.client.agent.service.deregister({ ...call, id })).catch(
      (error: unknown) => {
        // A service of another of Consul's agents, or of none any more: the word is enough.
        if (refusalStatus(error) === undefined) throw error;
      },
    );
    this.#registered.delete(entry.address);
  }

  #servicesOf(server: ConsulServer, address: string): ConsulServices {
    const call: ConsulCall = (signal, request) => this.#call(signal, request);
    return new ConsulServices({ server, engineId: this.#serviceId(address), call });
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

  async *#views(server: ConsulServer, signal: AbortSignal): AsyncGenerator<StoreView> {
    const { health, kv } = server.client;
    const folder = this.#withdrawnKey('');
    const classic = `${this.#options.classicFolder}/`;
    const parts = latestOf<Partial<StoreView>>([
      this.#changes(
        (call) => health.service({ ...call, service: this.#service }),
        (body) => ({ announced: parseServices(body) }),
        signal,
      ),
      this.#changes(
        (call) => kv.get({ ...call, key: folder, recurse: true }),
        (body) => ({ withdrawn: new Set(parseKeys(body, folder)) }),
        signal,
      ),
      this.#changes(
        (call) => kv.get({ ...call, key: classic, recurse: true }),
        (body) => ({ announced: parseClassicNodes(body, classic) }),
        signal,
      ),
    ]);
    for await (const [services, withdrawals, nodes] of parts) {
      yield {
        announced: [...(services?.announced ?? []), ...(nodes?.announced ?? [])],
        withdrawn: withdrawals?.withdrawn ?? new Set(),
      };
    }
  }

  /** What one blocking query answers: now, then as soon as that has changed, or after a while. */
  async *#changes<T>(
    read: (call: CallOptions) => Promise<unknown>,
    parse: (body: unknown) => T,
    signal: AbortSignal,
  ): AsyncGenerator<T> {
    let index = 0;
    while (!signal.aborted) {
      const blocking = index > 0 ? { index: String(index), wait: `${waitSeconds}s` } : {};
      const answer = await this.#call(signal, (call) => read({ ...call, ...blocking }), blockingTimeoutMs);
      const { headers, body } = splitAnswer(answer);
      const next = parseIndex(headers);
      // The server may have been restored from an older state, where this index lies ahead.
      index = next < index ? 0 : next;
      yield parse(body);
      const { least, most } = pauseBetweenQueriesMs;
      const entries = Array.isArray(body) ? body.length : 0;
      await sleep(least + Math.random() * (most - least) + entries, signal);
    }
  }

  async #check(server: ConsulServer, signal: AbortSignal): Promise<void> {
    const answer: unknown = await this.#call(signal, (call) => server.client.status.leader(call));
    if (splitAnswer(answer).body === '') throw new Error('consul has no leader');
  }

  async #onAnyServer(first: ConsulServer, work: (server: ConsulServer) => Promise<unknown>): Promise<void> {
    const failures: unknown[] = [];
    for (const server of [first, ...this.#servers.all.filter((other) => other !== first)]) {
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

  #moveOn(failed: ConsulServer, error: unknown): void {
    if (!isRefusal(error)) this.#servers.leave(failed);
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
  /** Another one, which knows nothing yet, after a change of the server and where the server has forgotten the engine. */
  readonly services: ConsulServices;
}

function serviceName(prefix: string): string {
  if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/.test(prefix)) {
    throw badRequest(`invalid consul prefix ${JSON.stringify(prefix)}: letters, digits, "-", "_" and "/" are accepted`);
  }
  return prefix.replaceAll('/', '-');
}

function checkNote(entry: DiscoveryEntry): string {
  // Another text without another state would be told to every watcher, minutes later, with all services.
  return entry.alive ? '' : 'the engine does not answer';
}
