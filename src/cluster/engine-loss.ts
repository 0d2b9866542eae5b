// Noticing that an engine stops being healthy while something waits for it.
import type { Engine } from '../engine/engine.ts';

export interface LossWatch {
  /** Aborts when the engine is not healthy, at once when it is not to begin with. */
  readonly signal: AbortSignal;
  stop(): void;
}

export function watchForLoss(engine: Engine): LossWatch {
  const lost = new AbortController();
  const unsubscribe = engine.subscribe((change) => {
    if (change.kind === 'state' && change.state !== 'healthy') lost.abort();
  });
  if (engine.state !== 'healthy') lost.abort();
  return { signal: lost.signal, stop: unsubscribe };
}
