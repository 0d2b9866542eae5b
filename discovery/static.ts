// Engines named on the command line: `nodes://a:2375,b:2375` or the bare list. None is added; one that an operator takes
// out is out until the manager starts again.
import { notImplemented } from '../src/common/errors.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';
import { Membership } from './membership.ts';

export class StaticBackend implements DiscoveryBackend {
  readonly name = 'nodes';
  readonly #membership = new Membership();

  /** `addresses` in canonical form. */
  constructor(addresses: readonly string[]) {
    this.#membership.replace(addresses.map((address) => ({ address, alive: true })));
  }

  watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    return this.#membership.follow(signal);
  }

  register(): Promise<void> {
    return Promise.reject(notImplemented('an agent cannot join a fixed list of engines'));
  }

  deregister({ address }: DiscoveryEntry): Promise<void> {
    const entries = this.#membership.entries ?? [];
    this.#membership.replace(entries.filter((entry) => entry.address !== address));
    return Promise.resolve();
  }
}
