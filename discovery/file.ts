// Engines named in a file, one or a list a line, re-read when it changes. A file that is missing, unreadable or
// being written never takes an engine away: the last good set stays.
import { watch as watchDirectory } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { sleep } from '../src/common/abort.ts';
import { errorMessage, notImplemented } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';
import { parseAddressList, sameMembership, sortMembership } from './entry.ts';

export interface FileBackendOptions {
  readonly path: string;
  readonly logger: Logger;
  /** Milliseconds between two looks when the file system reports nothing. */
  readonly pollMs?: number;
}

/** A file is taken as written to its end when it reads the same twice, this many milliseconds apart. */
const settleMs = 100;

const maxFileBytes = 4 * 1024 * 1024;

export class FileBackend implements DiscoveryBackend {
  readonly name = 'file';
  readonly #path: string;
  readonly #logger: Logger;
  readonly #pollMs: number;
  #silentSince: Date | undefined;

  constructor(options: FileBackendOptions) {
    this.#path = resolve(options.path);
    this.#logger = options.logger.child({ discovery: 'file', path: this.#path });
    this.#pollMs = options.pollMs ?? 5_000;
  }

  /** Since when the file cannot be read, or is not believed. */
  get silentSince(): Date | undefined {
    return this.#silentSince;
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    const ended = new AbortController();
    const end = (): void => {
      ended.abort();
    };
    if (signal.aborted) return;
    signal.addEventListener('abort', end, { once: true });
    try {
      yield* this.#follow(ended.signal);
    } finally {
      end();
      signal.removeEventListener('abort', end);
    }
  }

  register(): Promise<void> {
    return Promise.reject(notImplemented('an agent cannot join through a file: add its address to the file'));
  }

  deregister(): Promise<void> {
    return Promise.reject(notImplemented('an agent cannot leave through a file: take its address out of the file'));
  }

  async *#follow(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    let last: readonly DiscoveryEntry[] | undefined;
    let trouble = '';
    let badLines: readonly string[] = [];
    while (!signal.aborted) {
      // The watcher is set up before the file is read, so that a change in between is not lost.
      const change = this.#nextChange(signal);
      const read = await this.#readSettled(signal);
      if (!read) return;
      const content = read.kind === 'text' ? parseMembership(read.text) : undefined;
      const reason = read.kind === 'text' ? emptyReason(read.text, content, last) : read.reason;
      if (reason !== trouble && reason !== '') this.#logger.warn('the list of engines is kept as it was', { reason });
      trouble = reason;
      this.#silentSince = reason === '' ? undefined : (this.#silentSince ?? new Date());
      if (content && reason === '') {
        this.#reportBadLines(content.badLines.filter((line) => !badLines.includes(line)));
        badLines = content.badLines;
        if (!last || !sameMembership(last, content.entries)) {
          last = content.entries;
          yield last;
        }
      }
      await change;
    }
  }

  /** Resolves at the next sign of a change in the file's directory, after the poll interval, or on abort. */
  async #nextChange(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const end = (): void => {
      over.abort();
    };
    const name = basename(this.#path);
    signal.addEventListener('abort', end, { once: true });
    try {
      const watcher = watchDirectory(dirname(this.#path), { signal: over.signal }, (_event, changed) => {
        if (changed === null || changed === name) end();
      });
      watcher.on('error', () => undefined);
    } catch {
      // No such directory, or no watches left: the poll remains.
    }
    await sleep(this.#pollMs, over.signal);
    end();
    signal.removeEventListener('abort', end);
  }

  /** The file once nobody writes it any more; undefined when the signal aborted before. */
  async #readSettled(signal: AbortSignal): Promise<Reading | undefined> {
    let first = await this.#read();
    for (;;) {
      await sleep(settleMs, signal);
      if (signal.aborted) return undefined;
      const second = await this.#read();
      if (first.kind === 'trouble' || (second.kind === 'text' && second.text === first.text)) return second;
      first = second;
    }
  }

  async #read(): Promise<Reading> {
    try {
      const { size } = await stat(this.#path);
      if (size > maxFileBytes) return { kind: 'trouble', reason: `the file is larger than ${maxFileBytes} bytes` };
      return { kind: 'text', text: await readFile(this.#path, 'utf8') };
    } catch (error) {
      return { kind: 'trouble', reason: errorMessage(error) };
    }
  }

  #reportBadLines(lines: readonly string[]): void {
    for (const line of lines) this.#logger.warn('a line of the list of engines is skipped', { line });
  }
}

type Reading = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'trouble'; readonly reason: string };

export interface FileContent {
  readonly entries: readonly DiscoveryEntry[];
  /** Each line that is no list of addresses, with the reason. */
  readonly badLines: readonly string[];
}

/** The engines that `text` names; `#` starts a comment, blank lines say nothing. */
export function parseMembership(text: string): FileContent {
  const entries: DiscoveryEntry[] = [];
  const badLines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const list = line.replace(/#.*$/, '').trim();
    if (list === '') continue;
    try {
      entries.push(...parseAddressList(list).map((address) => ({ address, alive: true })));
    } catch (error) {
      badLines.push(errorMessage(error));
    }
  }
  return { entries: sortMembership(entries), badLines };
}

/**
 * Why a file without engines is not believed, or '' when it is. An editor empties a file before it writes it anew,
 * so after a good set a blank file means nothing; one that holds a comment says that there are no engines.
 */
function emptyReason(
  text: string,
  content: FileContent | undefined,
  last: readonly DiscoveryEntry[] | undefined,
): string {
  if (!content || content.entries.length > 0 || !last || last.length === 0) return '';
  if (text.trim() === '') return 'the file is blank';
  return content.badLines.length > 0 ? 'no line of the file names an engine' : '';
}
