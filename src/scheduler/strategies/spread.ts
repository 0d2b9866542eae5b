// Spread: the least loaded node first, so that the loss of one node takes as little as possible.
import type { Strategy } from '../contracts.ts';
import { explainLoad, rankByLoad, type StrategyOptions } from './load-order.ts';

export function createSpread(options: StrategyOptions): Strategy {
  return {
    name: 'spread',
    rank: (request, nodes) => rankByLoad(request, nodes, 'emptiest', options),
    explain: (request, node) => explainLoad(request, node, options),
  };
}
