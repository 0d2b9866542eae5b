// Engines as nodes of ZooKeeper. The client is our own: of the packages for it one must be compiled, and the other keeps
// waiting for a server that hangs and cannot be stopped while it does.
import { aborted } from '../src/common/abort.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';
import { formatHostPort, type HostPort } from './entry.ts';
import { followStore } from './follow-store.ts';
import { ServerTurns } from './server-turns.ts';
import type { StoreView } from './store-view.ts';
import { readTlsFiles, type TlsMaterial } from './tls-files.ts';
import { TroubleLog } from './trouble-log.ts';
import { ZooKeeperAnnouncement } from './zookeeper/announcement.ts';

import { FolderView } from './zookeeper/folder-view.ts';
import { within, ZooKeeperSession, type ZooKeeperConnection } from './zookeeper/session.ts';
import { ZooKeeperError } from './zookeeper/wire.ts';

export interface ZooKeeperBackendOptions extends ZooKeeperConnection {
  /** The folder of classicswarm's nodes, without a slash at either end. */
  readonly folder: string;
  readonly logger: Logger;
}

/** Within its usual bounds of 4 to 40 s a server grants what is asked for; a silent one is noticed after two thirds of it. */
const watchingSessionMs = 9_000;
/** A longer silence than this ends the vouching for an engine, and every third of it is a ping of each agent. */
const vouchingSessionMs = 30_000;

export class ZooKeeperBackend implements DiscoveryBackend {
  readonly name = 'zookeeper';
  readonly #options: ZooKeeperBackendOptions;
  readonly #folder: string;
  readonly #tls: TlsMaterial | undefined;
  readonly #servers: ServerTurns<HostPort>;
  readonly #trouble: TroubleLog;
  /** What this process has registered, by address. */
  readonly #registered = new Map<string, Registration>();

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor(options: ZooKeeperBackendOptions) {
    this.#options = options;
    this.#folder = `/${options.folder}`;
    this.#tls = readTlsFiles(options.tls ?? {});
    this.#servers = new ServerTurns(options.servers);
    this.#trouble = new TroubleLog(options.logger.child({ discovery: 'zookeeper' }), 'the discovery store');
  }

  get silentSince(): Date | undefined {
    return this.#trouble.since;
  }

  watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    let server = this.#servers.current;
    const reader = {
      get server() {
        return formatHostPort(server);
      },
      views: (over: AbortSignal) => {
        server = this.#servers.current;
        return this.#views(server, over);
      },
      failed: () => {
        this.#servers.leave(server);
      },
    };
    return followStore(reader, this.#trouble, signal);
  }

  async register(entry: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void> {
    const registration = await this.#registrationOf(entry.address, signal);
    const { session, announcement } = registration;
    clearTimeout(registration.lapse);
    try {
      await within(signal, session, announcement.renew(entry));
    } catch (error) {
      if (!(error instanceof ZooKeeperError)) this.#servers.leave(registration.server);
      this.#forget(entry.address);
      throw error;
    }
    // The session would live for as long as the process.
    registration.lapse = setTimeout(() => {
      this.#forget(entry.address);
    }, ttlMs).unref();
  }

  async deregister({ address }: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    const failures: unknown[] = [];
    while (failures.length < this.#servers.all.length) {
      const server = this.#registered.get(address)?.server ?? this.#servers.current;
      try {
        const { session, announcement } = await this.#registrationOf(address, signal);
        await within(signal, session, announcement.withdraw());
        return;
      } catch (error) {
        failures.push(error);
        this.#servers.leave(server);
      } finally {
        this.#forget(address);
      }
    }
    throw new AggregateError(failures);
  }

  async untilLost({ address }: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    const session = this.#registered.get(address)?.session;
    await Promise.race([session?.ended, aborted(signal)]);
  }

  async *#views(server: HostPort, signal: AbortSignal): AsyncGenerator<StoreView> {
    const view = new FolderView(this.#folder);
    const session = await this.#open(server, watchingSessionMs, view, signal);
    const close = (): void => {
      session.close();
    };
    signal.addEventListener('abort', close, { once: true });
    try {
      yield* view.follow(session, signal);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  async #registrationOf(address: string, signal: AbortSignal): Promise<Registration> {
    const known = this.#registered.get(address);
    if (known && !known.session.isOver) return known;
    const server = this.#servers.current;
    try {
      const session = await this.#open(server, vouchingSessionMs, undefined, signal);
      session.unref();
      const announcement = new ZooKeeperAnnouncement(session, this.#folder, address);
      const registration: Registration = { server, session, announcement, lapse: known?.lapse };
      this.#registered.set(address, registration);
      return registration;
    } catch (error) {
      this.#servers.leave(server);
      throw error;
    }
  }

  /** Ends the session, and with it the vouching. */
  #forget(address: string): void {
    const registration = this.#registered.get(address);
    this.#registered.delete(address);
    clearTimeout(registration?.lapse);
    registration?.session.close();
  }

  #open(
    address: HostPort,
    timeoutMs: number,
    view: FolderView | undefined,
    signal: AbortSignal,
  ): Promise<ZooKeeperSession> {
    const { credentials } = this.#options;
    const onChange = (path: string): void => view?.changed(path);
    const onOver = (reason: Error): void => view?.ended(reason);
    return ZooKeeperSession.open({ address, tls: this.#tls, credentials, timeoutMs, onChange, onOver }, signal);
  }
}

interface Registration {
  readonly server: HostPort;
  readonly session: ZooKeeperSession;
  readonly announcement: ZooKeeperAnnouncement;
  lapse: NodeJS.Timeout | undefined;
}
