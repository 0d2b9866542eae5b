// The strategies by name.
import { createBinpack } from './binpack.ts';
import { createRandom } from './random.ts';
import { createSpread } from './spread.ts';
import { createSpreadOver } from './spread-over.ts';
import type { StrategyOptions } from './load-order.ts';
import type { Strategy } from '../contracts.ts';

export type { StrategyOptions } from './load-order.ts';

/** As shown to users. */
export const strategyNames: readonly string[] = ['spread', 'binpack', 'random', 'spread:<label>'];

const spreadOver = /^spread:(.+)$/;

export function isStrategyName(name: string): boolean {
  return ['spread', 'binpack', 'binpacking', 'random'].includes(name) || spreadOver.test(name);
}

/** `binpacking` is another word for binpack. Throws an Error that names the accepted strategies. */
export function openStrategy(name: string, options: StrategyOptions = {}): Strategy {
  switch (name) {
    case 'spread':
      return createSpread(options);
    case 'binpack':
    case 'binpacking':
      return createBinpack(options);
    case 'random':
      return createRandom(options);
    default:
      return openSpreadOver(name, options);
  }
}

function openSpreadOver(name: string, options: StrategyOptions): Strategy {
  const label = spreadOver.exec(name)?.[1];
  if (label === undefined) throw new Error(`unknown strategy "${name}": expected one of ${strategyNames.join(', ')}`);
  return createSpreadOver(label, options);
}
