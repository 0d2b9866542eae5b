// Binpack: the fullest node that still has room first, so that big containers find empty nodes later.
import type { Strategy } from '../contracts.ts';
import { loadScore, rankByLoad, type StrategyOptions } from './load-order.ts';

export function createBinpack(options: StrategyOptions): Strategy {
  return {
    name: 'binpack',
    rank: (request, nodes) => rankByLoad(request, nodes, 'fullest', options),
    score: (request, node) => loadScore(request, node, options),
  };
}
