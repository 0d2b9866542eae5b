// The store of an election in this process, and each manager's way to it, which can be cut.
import { sleep } from '../../src/common/abort.ts';
import type { LeaderRead, LeaderStore, LeaderText } from '../../discovery/leadership.ts';

export class MemoryLeaderText {
  #version = 0;
  #text = '';
  #changed = new AbortController();

  get current(): LeaderText {
    return { version: this.#text === '' ? 0 : this.#version, text: this.#text };
  }

  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  /** False when the version is another one. */
  write(text: string, version: number): boolean {
    if (version !== this.current.version) return false;
    // As Consul does: what stays the same is no change, and keeps its version.
    if (text === this.#text) return true;
    this.#text = text;
    this.#version += 1;
    this.#changed.abort();
    this.#changed = new AbortController();
    return true;
  }

  wipe(): void {
    this.#text = '';
    this.#changed.abort();
    this.#changed = new AbortController();
  }
}

export class MemoryLeaderStore implements LeaderStore {
  readonly name = 'memory';
  /** No call is answered. */
  isCut = false;
  /** Writes are carried out, but not answered. */
  losesAnswers = false;
  /** What waits for a change fails; everything else is answered. */
  failsWaits = false;
  readonly #shared: MemoryLeaderText;

  constructor(shared: MemoryLeaderText) {
    this.#shared = shared;
  }

  async read({ unlike, waitMs }: LeaderRead, signal: AbortSignal): Promise<LeaderText> {
    await this.#passed();
    if (this.#shared.current.version === unlike) {
      if (this.failsWaits) throw new Error('the store ended the wait');
      await sleep(Math.min(waitMs, 1e6), AbortSignal.any([signal, this.#shared.changed]));
      signal.throwIfAborted();
      await this.#passed();
    }
    return this.#shared.current;
  }

  async write(text: string, version: number): Promise<number | undefined> {
    await this.#passed();
    const isWritten = this.#shared.write(text, version);
    if (this.losesAnswers) throw new Error('the answer was lost');
    return isWritten ? this.#shared.current.version : undefined;
  }

  async #passed(): Promise<void> {
    await Promise.resolve();
    if (this.isCut) throw new Error('the store does not answer');
  }
}
