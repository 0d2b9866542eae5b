// State of a single manager: in its memory, and in a file where one is named. A change counts once the file has it.
import { readFileSync } from 'node:fs';
import { badRequest, errorCode, errorMessage } from '../../src/common/errors.ts';
import type { Logger } from '../../src/common/logger.ts';
import { replaceFile } from '../../src/common/replace-file.ts';
import {
  StateConflict,
  type StateDocument,
  type StateFolder,
  type StatePlace,
  type StateStore,
} from '../state-store.ts';
import { Waiters } from '../../src/common/waiters.ts';

export interface LocalStateOptions {
  readonly logger: Logger;
  /** Absent: what is kept ends with this process. */
  readonly path?: string | undefined;
}

type Folders = ReadonlyMap<string, ReadonlyMap<string, StateDocument>>;

interface Content {
  readonly version: number;
  readonly folders: Folders;
}

/** Made with `openLocalState`. */
export class LocalState implements StateStore {
  readonly name = 'local';
  readonly #options: LocalStateOptions;
  readonly #waiting = new Waiters();
  #content: Content;
  /** The end of the change that was asked for last. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #hasWarned = false;

  constructor(options: LocalStateOptions, content: Content) {
    this.#options = options;
    this.#content = content;
  }

  read(folder: string): Promise<StateFolder> {
    return Promise.resolve(this.#folder(folder));
  }

  async write(place: StatePlace, change: { readonly text: string; readonly seenVersion: number }): Promise<number> {
    return await this.#inTurn(async () => {
      this.#assertSeen(place, change.seenVersion);
      const version = this.#content.version + 1;
      await this.#replace(place, { text: change.text, version }, version);
      return version;
    });
  }

  async remove(place: StatePlace, seenVersion: number): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#find(place) === undefined) return;
      this.#assertSeen(place, seenVersion);
      await this.#replace(place, undefined, this.#content.version + 1);
    });
  }

  async put(place: StatePlace, text: string): Promise<void> {
    await this.#inTurn(async () => {
      const version = this.#content.version + 1;
      await this.#replace(place, { text, version }, version);
    });
  }

  async drop(place: StatePlace): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#find(place) !== undefined) await this.#replace(place, undefined, this.#content.version + 1);
    });
  }

  async *watch(folder: string, signal: AbortSignal): AsyncGenerator<StateFolder> {
    let seen: ReadonlyMap<string, StateDocument> | undefined;
    while (!signal.aborted) {
      const now = this.#folder(folder);
      if (now.documents === seen) {
        await this.#waiting.wait(signal);
        continue;
      }
      seen = now.documents;
      yield now;
    }
  }

  #folder(folder: string): StateFolder {
    const { folders, version } = this.#content;
    return { documents: folders.get(folder) ?? noDocuments, version };
  }

  #find({ folder, key }: StatePlace): StateDocument | undefined {
    return this.#content.folders.get(folder)?.get(key);
  }

  #assertSeen(place: StatePlace, seenVersion: number): void {
    if ((this.#find(place)?.version ?? 0) !== seenVersion) throw new StateConflict(place);
  }

  /** One change after the other: each looks at what the one before it has left. */
  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(change, change);
    this.#lastChange = turn.catch(() => undefined);
    return await turn;
  }

  async #replace({ folder, key }: StatePlace, document: StateDocument | undefined, version: number): Promise<void> {
    const documents = new Map(this.#content.folders.get(folder));
    if (document === undefined) documents.delete(key);
    else documents.set(key, document);
    const content = { version, folders: new Map(this.#content.folders).set(folder, documents) };
    await this.#save(content);
    this.#content = content;
    this.#waiting.wake();
  }

  async #save(content: Content): Promise<void> {
    const { path, logger } = this.#options;
    if (path === undefined) {
      if (!this.#hasWarned) logger.warn('settings of nodes end with this manager: --state-file keeps them');
      this.#hasWarned = true;
      return;
    }
    await replaceFile(path, `${formatContent(content)}\n`);
  }
}

const noDocuments: ReadonlyMap<string, StateDocument> = new Map();

/** Throws a 400 of one line for a file that is no state: settings of nodes must not be forgotten in silence. */
export function openLocalState(options: LocalStateOptions): LocalState {
  return new LocalState(options, loadContent(options.path));
}

function loadContent(path: string | undefined): Content {
  if (path === undefined) return { version: 0, folders: new Map() };
  try {
    return parseContent(readFileSync(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { version: 0, folders: new Map() };
    throw badRequest(`the state file ${path} cannot be read: ${errorMessage(error)}`);
  }
}

function formatContent({ version, folders }: Content): string {
  const entries = [...folders].map(([folder, documents]) => [folder, Object.fromEntries(documents)] as const);
  return JSON.stringify({ version, folders: Object.fromEntries(entries) }, undefined, 2);
}

function parseContent(text: string): Content {
  const { version, folders } = asObject(JSON.parse(text));
  if (typeof version !== 'number') throw new Error('it has no version');
  const read = Object.entries(asObject(folders)).map(([folder, documents]): [string, Map<string, StateDocument>] => [
    folder,
    new Map(Object.entries(asObject(documents)).map(([key, document]) => [key, parseDocument(document)])),
  ]);
  return { version, folders: new Map(read) };
}

function parseDocument(value: unknown): StateDocument {
  const { text, version } = asObject(value);
  if (typeof text !== 'string' || typeof version !== 'number') throw new Error('a document in it is none');
  return { text, version };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('it holds something else than state');
  return Object.fromEntries(Object.entries(value));
}
