// What a store says of the membership, and what follows from it: only a withdrawal takes an engine away, whatever else
// the store has forgotten.
import type { DiscoveryEntry } from './backend.ts';
import { sortMembership } from './entry.ts';

/** A complete answer of a store. */
export interface StoreView {
  readonly announced: readonly DiscoveryEntry[];
  /** The addresses that were withdrawn in order, and not announced again. */
  readonly withdrawn: ReadonlySet<string>;
}

/** The membership after an answer: what is announced, and whoever was known before and has vanished without a withdrawal. */
export function mergeMembership(
  known: readonly DiscoveryEntry[],
  { announced, withdrawn }: StoreView,
): readonly DiscoveryEntry[] {
  const present = new Set(announced.map(({ address }) => address));
  const vanished = known.filter(({ address }) => !present.has(address) && !withdrawn.has(address));
  return sortMembership([
    ...announced.filter(({ address }) => !withdrawn.has(address)),
    ...vanished.map((entry) => ({ ...entry, alive: false, missing: true })),
  ]);
}
