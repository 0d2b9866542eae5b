// Keys as nodes of ZooKeeper, which checks the version of each change itself. Its versions begin anew with a node that is
// made again, so that a text is known by the number of the change that it came with.
import { pause } from '../../src/common/deadline.ts';
import type { HostPort } from '../entry.ts';
import type { KeyRange, KeyReading, KeyStore, KeyText, KeyWait } from '../key-store.ts';
import { ServerTurns } from '../server-turns.ts';
import { readTlsFiles, type TlsMaterial } from '../tls-files.ts';
import { unless, within, ZooKeeperSession, type ZooKeeperConnection } from './session.ts';
import { refusal, ZooKeeperError } from './wire.ts';

/** A silent server is left after two thirds of it. */
const sessionMs = 9_000;
/** Longer than anybody waits for a change. */
const idleMs = 60_000;
const anyVersion = -1;
/** Requests on their way at once. */
const readsAtOnce = 100;

export class ZooKeeperKeyStore implements KeyStore {
  readonly name = 'zookeeper';
  readonly #connection: ZooKeeperConnection;
  readonly #tls: TlsMaterial | undefined;
  readonly #servers: ServerTurns<HostPort>;
  #opened: Opened | undefined;

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor(connection: ZooKeeperConnection) {
    this.#connection = connection;
    this.#tls = readTlsFiles(connection.tls ?? {});
    this.#servers = new ServerTurns(connection.servers);
  }

  async read(range: KeyRange, wait: KeyWait | undefined, signal: AbortSignal): Promise<KeyReading> {
    const name = 'key' in range ? range.key : `${range.below}/`;
    if (wait !== undefined) await this.#waitForChange(name, wait, signal);
    signal.throwIfAborted();
    // Who only reads leaves no watches behind.
    const watch = wait === undefined ? 'once' : 'watch';
    return await this.#ask(signal, async ({ session, watches }) => {
      const watched: Watched = { paths: new Set(), changed: new AbortController(), position: 0 };
      if (watch === 'watch') watches.set(name, watched);
      const reading = await readRange(session, range, (path) => {
        watched.paths.add(path);
        return watch;
      });
      watched.position = reading.position;
      return reading;
    });
  }

  async write(key: string, { text, version }: KeyText, signal: AbortSignal): Promise<number | undefined> {
    return await this.#ask(signal, async ({ session }) => {
      const path = `/${key}`;
      const seen = await session.stat(path);
      if (Number(seen?.changedAt ?? 0n) !== version) return undefined;
      try {
        if (seen) return Number((await session.write(path, text, seen.version)).changedAt);
        await session.createFolder(path.slice(0, path.lastIndexOf('/')));
        await session.create(path, text, 'persistent');
      } catch (error) {
        if (isOvertaken(error)) return undefined;
        throw error;
      }
      // ZooKeeper does not tell the version of what it made; another text means that it was changed again since.
      const written = await session.read(path, 'once');
      return written?.text === text ? Number(written.stat.changedAt) : undefined;
    });
  }

  async remove(key: string, version: number, signal: AbortSignal): Promise<boolean> {
    return await this.#ask(signal, async ({ session }) => {
      const seen = await session.stat(`/${key}`);
      if (seen === undefined) return true;
      if (Number(seen.changedAt) !== version) return false;
      try {
        await unless(refusal.noNode, session.remove(`/${key}`, seen.version));
        return true;
      } catch (error) {
        if (isOvertaken(error)) return false;
        throw error;
      }
    });
  }

  async put(key: string, text: string, signal: AbortSignal): Promise<void> {
    await this.#ask(signal, async ({ session }) => {
      const path = `/${key}`;
      if ((await session.stat(path)) !== undefined) {
        await session.write(path, text, anyVersion);
        return;
      }
      await session.createFolder(path.slice(0, path.lastIndexOf('/')));
      await session.create(path, text, 'persistent');
    });
  }

  async drop(key: string, signal: AbortSignal): Promise<void> {
    await this.#ask(signal, async ({ session }) => {
      await unless(refusal.noNode, session.remove(`/${key}`, anyVersion));
    });
  }

  /** Returns at once where nothing watches what was read at that position. */
  async #waitForChange(name: string, { position, waitMs }: KeyWait, signal: AbortSignal): Promise<void> {
    const watched = this.#opened?.watches.get(name);
    if (watched?.position !== position) return;
    await pause(waitMs, [signal, watched.changed.signal]);
  }

  async #ask<T>(signal: AbortSignal, work: (opened: Opened) => Promise<T>): Promise<T> {
    return await this.#servers.ask(
      async (server) => {
        const opened = await this.#openOn(server, signal);
        opened.idle.refresh();
        return await within(signal, opened.session, work(opened));
      },
      (error) => error instanceof ZooKeeperError,
    );
  }

  async #openOn(server: HostPort, signal: AbortSignal): Promise<Opened> {
    const known = this.#opened;
    if (known?.server === server && !known.session.isOver) return known;
    const watches = new Map<string, Watched>();
    const session = await ZooKeeperSession.open(
      {
        address: server,
        tls: this.#tls,
        credentials: this.#connection.credentials,
        timeoutMs: sessionMs,
        onChange: (path) => {
          for (const { paths, changed } of watches.values()) if (paths.has(path)) changed.abort();
        },
        onOver: () => {
          for (const { changed } of watches.values()) changed.abort();
          watches.clear();
        },
      },
      signal,
    );
    session.unref();
    const idle = setTimeout(() => {
      session.close();
    }, idleMs).unref();
    known?.session.close();
    this.#opened = { server, session, watches, idle };
    return this.#opened;
  }
}

interface Opened {
  readonly server: HostPort;
  readonly session: ZooKeeperSession;
  /** What somebody may wait for, by the name of the range. */
  readonly watches: Map<string, Watched>;
  readonly idle: NodeJS.Timeout;
}

interface Watched {
  readonly paths: Set<string>;
  readonly changed: AbortController;
  /** 0 until all is read. */
  position: number;
}

type Watch = (path: string) => 'watch' | 'once';

async function readRange(session: ZooKeeperSession, range: KeyRange, watch: Watch): Promise<KeyReading> {
  if ('below' in range) return await readBelow(session, range.below, watch);
  const path = `/${range.key}`;
  for (;;) {
    const node = await session.read(path, watch(path));
    if (node) {
      const found = { text: node.text, version: Number(node.stat.changedAt) };
      return { texts: new Map([[range.key, found]]), position: found.version };
    }
    if ((await session.stat(path, watch(path))) === undefined) return { texts: new Map(), position: 1 };
  }
}

async function readBelow(session: ZooKeeperSession, below: string, watch: Watch): Promise<KeyReading> {
  const folder = `/${below}`;
  // Before the names, so that nothing that these lack counts as read.
  const stat = await session.stat(folder, watch(folder));
  const names = (stat && (await session.children(folder, watch(folder)))) ?? [];
  const texts = new Map<string, KeyText>();
  for (let start = 0; start < names.length; start += readsAtOnce) {
    const read = async (name: string): Promise<void> => {
      const node = await session.read(`${folder}/${name}`, watch(`${folder}/${name}`));
      if (node) texts.set(`${below}/${name}`, { text: node.text, version: Number(node.stat.changedAt) });
    };
    await Promise.all(names.slice(start, start + readsAtOnce).map(read));
  }
  const versions = [...texts.values()].map(({ version }) => version);
  return { texts, position: versions.reduce((a, b) => Math.max(a, b), Number(stat?.childrenChangedAt ?? 1n)) };
}

/** Somebody was quicker. */
function isOvertaken(error: unknown): boolean {
  const codes: readonly number[] = [refusal.badVersion, refusal.nodeExists, refusal.noNode];
  return error instanceof ZooKeeperError && codes.includes(error.code);
}
