// Binpack: the fullest node that still has room first, so that big containers find empty nodes later.
import type { Strategy } from '../contracts.ts';
import { createByLoad, type StrategyOptions } from './load-order.ts';

export function createBinpack(options: StrategyOptions): Strategy {
  return createByLoad('binpack', 'fullest', options);
}
