// Spread: the least loaded node first, so that the loss of one node takes as little as possible.
import type { Strategy } from '../contracts.ts';
import { loadScore, rankByLoad, type StrategyOptions } from './load-order.ts';

export function createSpread(options: StrategyOptions): Strategy {
  return {
    name: 'spread',
    rank: (request, nodes) => rankByLoad(request, nodes, 'emptiest', options),
    score: (request, node) => loadScore(request, node, options),
  };
}
