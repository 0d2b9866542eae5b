// Spread: the least loaded node first, so that the loss of one node takes as little as possible.
import type { Strategy } from '../contracts.ts';
import { createByLoad, type StrategyOptions } from './load-order.ts';

export function createSpread(options: StrategyOptions): Strategy {
  return createByLoad('spread', 'emptiest', options);
}
