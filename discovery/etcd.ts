// Engines as keys of etcd, API v3. A watch from the revision of one complete reading carries every change; the keys are read
// anew when it breaks, and when etcd has become another one.
import { sleep } from '../src/common/abort.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';
import { Bell } from './bell.ts';
import { EtcdAnnouncement } from './etcd/announcement.ts';
import { connectEtcd, isRefusal, type EtcdConnection, type EtcdServer } from './etcd/gateway.ts';
import { EtcdFolders, EtcdKeys, parsePosition, type EtcdPosition } from './etcd/keys.ts';
import { followStore } from './follow-store.ts';
import { ServerTurns } from './server-turns.ts';
import type { StoreView } from './store-view.ts';
import { TroubleLog } from './trouble-log.ts';

export interface EtcdBackendOptions extends EtcdConnection {
  /** The folder of classicswarm's keys, without a slash at either end. */
  readonly folder: string;
  readonly logger: Logger;
}

/** A burst of changes is told a few times a second. */
const pauseBetweenViewsMs = 250;

export class EtcdBackend implements DiscoveryBackend {
  readonly name = 'etcd';
  readonly #folders: EtcdFolders;
  readonly #servers: ServerTurns<EtcdServer>;
  readonly #trouble: TroubleLog;
  /** What this process has registered, by address. */
  readonly #announcements = new Map<string, EtcdAnnouncement>();

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor({ folder, logger, ...connection }: EtcdBackendOptions) {
    this.#folders = new EtcdFolders(folder);
    this.#servers = new ServerTurns(connectEtcd(connection));
    this.#trouble = new TroubleLog(logger.child({ discovery: 'etcd' }), 'the discovery store');
  }

  get silentSince(): Date | undefined {
    return this.#trouble.since;
  }

  watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    const reading: Reading = { server: this.#servers.current, position: undefined };
    const reader = {
      get server() {
        return reading.server.name;
      },
      views: (over: AbortSignal) => {
        reading.server = this.#servers.current;
        reading.position = undefined;
        return this.#views(reading, over);
      },
      check: (over: AbortSignal) => this.#check(reading, over),
      failed: (error: unknown) => {
        this.#moveOn(reading.server, error);
      },
    };
    return followStore(reader, this.#trouble, signal);
  }

  async register(entry: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void> {
    const server = this.#servers.current;
    const announcement = this.#announcements.get(entry.address) ?? new EtcdAnnouncement(this.#folders, entry.address);
    this.#announcements.set(entry.address, announcement);
    try {
      await announcement.renew(server, entry, ttlMs, signal);
    } catch (error) {
      this.#moveOn(server, error);
      throw error;
    }
  }

  async deregister({ address }: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    const announcement = this.#announcements.get(address) ?? new EtcdAnnouncement(this.#folders, address);
    const failures: unknown[] = [];
    const { current } = this.#servers;
    for (const server of [current, ...this.#servers.all.filter((other) => other !== current)]) {
      try {
        await announcement.withdraw(server, signal);
        this.#announcements.delete(address);
        return;
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures);
  }

  async *#views(reading: Reading, signal: AbortSignal): AsyncGenerator<StoreView> {
    const { server } = reading;
    const answer = await server.call({ path: 'kv/range', body: this.#folders.range }, signal);
    const keys = new EtcdKeys(this.#folders, answer);
    const position = parsePosition(answer);
    reading.position = position;
    const over = new AbortController();
    const bell = new Bell();
    const following = this.#follow(keys, reading, position, bell, AbortSignal.any([signal, over.signal]));
    try {
      for (;;) {
        yield keys.view;
        await bell.rung();
        await sleep(pauseBetweenViewsMs, signal);
      }
    } finally {
      over.abort();
      await following;
    }
  }

  /** Keeps `keys` up to date until `signal` aborts; never rejects, as the bell fails instead. */
  async #follow(
    keys: EtcdKeys,
    { server }: Reading,
    { revision }: EtcdPosition,
    bell: Bell,
    signal: AbortSignal,
  ): Promise<void> {
    const range = { ...this.#folders.range, start_revision: (revision + 1n).toString() };
    try {
      for await (const message of server.stream({ path: 'watch', body: { create_request: range } }, signal)) {
        if (keys.apply(message)) bell.ring();
      }
      bell.fail(new Error('etcd ended the watch'));
    } catch (error) {
      bell.fail(error);
    }
  }

  /** Asks for the number of keys alone, by a majority: a server that is cut off from the others fails it too. */
  async #check({ server, position }: Reading, signal: AbortSignal): Promise<void> {
    const answer = await server.call({ path: 'kv/range', body: { ...this.#folders.range, count_only: true } }, signal);
    const now = parsePosition(answer);
    if (position === undefined) return;
    const isOther = now.clusterId !== position.clusterId || now.revision < position.revision;
    if (isOther) throw new Error('etcd is not the one that was read before');
  }

  #moveOn(failed: EtcdServer, error: unknown): void {
    if (!isRefusal(error)) this.#servers.leave(failed);
  }
}

/** What is being read just now. */
interface Reading {
  server: EtcdServer;
  position: EtcdPosition | undefined;
}
