// Random: any node that passed the filters. With a seeded source the same sequence of requests gets the same nodes.
import { compareText } from '../../common/compare-text.ts';
import type { Node, Strategy } from '../contracts.ts';
import type { StrategyOptions } from './load-order.ts';

export function createRandom(options: StrategyOptions): Strategy {
  const random = options.random ?? (options.seed === undefined ? Math.random : seededRandom(options.seed));
  return { name: 'random', rank: (_request, nodes) => shuffle(nodes, random) };
}

/** Numbers in [0, 1) that depend on `seed` alone. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sorted first: the outcome must not depend on the order in which the nodes were given. */
function shuffle(nodes: readonly Node[], random: () => number): readonly Node[] {
  const drawn = nodes.map((node) => node).sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
  return drawn
    .map((node) => ({ node, lot: random() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ node }) => node);
}
