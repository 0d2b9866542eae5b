// What a discovery backend has told, set by set, in a form that a test can compare.
import type { DiscoveryBackend } from '../../discovery/backend.ts';
import { until } from './until.ts';

export class MembershipWatcher {
  /** Every set: "ADDRESS+" for an engine that is alive and "ADDRESS-" for one that is not, with its facts behind. */
  readonly sets: string[] = [];
  readonly #stop = new AbortController();
  readonly #end: Promise<void>;

  constructor(backend: DiscoveryBackend) {
    this.#end = this.#watch(backend);
  }

  get last(): string | undefined {
    return this.sets.at(-1);
  }

  async shows(set: string, timeoutMs = 20_000): Promise<void> {
    try {
      await until('the set is shown', () => this.last === set, timeoutMs);
    } catch {
      throw new Error(`waited ${timeoutMs} ms for the set "${set}", and the last is "${String(this.last)}"`);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#end;
  }

  async #watch(backend: DiscoveryBackend): Promise<void> {
    for await (const entries of backend.watch(this.#stop.signal)) {
      this.sets.push(
        entries.map(({ address, alive, facts = '' }) => `${address}${alive ? '+' : '-'}${facts}`).join(' '),
      );
    }
  }
}
