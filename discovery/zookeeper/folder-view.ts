// The two folders of the membership as one session sees them. Watches of ZooKeeper tell that something changed, once: it
// is read again, with a new watch, and nothing else is.
import { sleep } from '../../src/common/abort.ts';
import { Bell } from '../bell.ts';
import { recordsFolder, viewOfKeys } from '../member-record.ts';
import type { StoreView } from '../store-view.ts';
import type { ZooKeeperSession } from './session.ts';

/** A burst of changes is told a few times a second. */
const pauseBetweenViewsMs = 250;
/** Requests on their way at once. */
const readsAtOnce = 100;

export class FolderView {
  readonly #nodes: string;
  readonly #records: string;
  readonly #bell = new Bell();
  readonly #changed = new Set<string>();
  readonly #contents = new Map<string, string>();
  #live: ReadonlySet<string> = new Set();

  /** `folder` is that of classicswarm's nodes. */
  constructor(folder: string) {
    this.#nodes = folder;
    this.#records = recordsFolder(folder);
  }

  /** To be called with the path of each watch that fires. */
  changed(path: string): void {
    this.#changed.add(path);
    this.#bell.ring();
  }

  /** To be called when the session is over. */
  ended(reason: Error): void {
    this.#bell.fail(reason);
  }

  /** The complete view now, then after each change. Throws when the session ends. */
  async *follow(session: ZooKeeperSession, signal: AbortSignal): AsyncGenerator<StoreView> {
    for (const path of [this.#nodes, this.#records]) this.#changed.add(path);
    for (;;) {
      await this.#readChanged(session);
      yield viewOfKeys(this.#live, this.#contents);
      await this.#bell.rung();
      await sleep(pauseBetweenViewsMs, signal);
    }
  }

  async #readChanged(session: ZooKeeperSession): Promise<void> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    if (changed.has(this.#nodes)) this.#live = new Set(await list(session, this.#nodes));
    if (changed.has(this.#records)) {
      const names = new Set(await list(session, this.#records));
      for (const name of this.#contents.keys()) if (!names.has(name)) this.#contents.delete(name);
      for (const name of names) if (!this.#contents.has(name)) changed.add(`${this.#records}/${name}`);
    }
    const folder = `${this.#records}/`;
    const names = [...changed].filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
    for (let start = 0; start < names.length; start += readsAtOnce) {
      await Promise.all(names.slice(start, start + readsAtOnce).map((name) => this.#readRecord(session, name)));
    }
  }

  async #readRecord(session: ZooKeeperSession, name: string): Promise<void> {
    const content = await session.read(`${this.#records}/${name}`);
    if (content === undefined) this.#contents.delete(name);
    else this.#contents.set(name, content.text);
  }
}

/** None of a folder that does not exist; its creation is watched then. */
async function list(session: ZooKeeperSession, folder: string): Promise<readonly string[]> {
  for (;;) {
    const names = await session.children(folder);
    if (names !== undefined) return names;
    if ((await session.stat(folder, 'watch')) === undefined) return [];
  }
}
