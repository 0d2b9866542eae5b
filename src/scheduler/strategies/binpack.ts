// Binpack: the fullest node that still has room first, so that big containers find empty nodes later.
import type { Strategy } from '../contracts.ts';
import { explainLoad, rankByLoad, type StrategyOptions } from './load-order.ts';

export function createBinpack(options: StrategyOptions): Strategy {
  return {
    name: 'binpack',
    rank: (request, nodes) => rankByLoad(request, nodes, 'fullest', options),
    explain: (request, node) => explainLoad(request, node, options),
  };
}
