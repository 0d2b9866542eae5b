// Engines named on the command line: `nodes://a:2375,b:2375` or the bare list. The set never changes.
import { aborted } from '../src/common/abort.ts';
import { notImplemented } from '../src/common/errors.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';
import { sortMembership } from './entry.ts';

export class StaticBackend implements DiscoveryBackend {
  readonly name = 'nodes';
  readonly #entries: readonly DiscoveryEntry[];

  /** `addresses` in canonical form. */
  constructor(addresses: readonly string[]) {
    this.#entries = sortMembership(addresses.map((address) => ({ address, alive: true })));
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    if (signal.aborted) return;
    yield this.#entries;
    await aborted(signal);
  }

  register(): Promise<void> {
    return Promise.reject(notImplemented('an agent cannot join a fixed list of engines'));
  }

  deregister(): Promise<void> {
    return Promise.reject(notImplemented('an agent cannot leave a fixed list of engines'));
  }
}
