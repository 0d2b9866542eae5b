// Noticing that an engine stops being healthy while something waits for it.
import type { Engine } from '../engine/engine.ts';

export interface LossWatch {
  /** Aborts when the engine is not healthy, at once when it is not to begin with; with the caller's signal too. */
  readonly signal: AbortSignal;
  stop(): void;
}

export function watchForLoss(engine: Engine, caller?: AbortSignal): LossWatch {
  const lost = new AbortController();
  const onAbort = (): void => {
    lost.abort(caller?.reason);
  };
  const unsubscribe = engine.subscribe((change) => {
    if (change.kind === 'state' && change.state !== 'healthy') lost.abort();
  });
  caller?.addEventListener('abort', onAbort, { once: true });
  if (caller?.aborted === true) onAbort();
  if (engine.state !== 'healthy') lost.abort();
  return {
    signal: lost.signal,
    stop: () => {
      unsubscribe();
      caller?.removeEventListener('abort', onAbort);
    },
  };
}
