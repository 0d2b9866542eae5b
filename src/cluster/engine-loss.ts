// Noticing that an engine stops being healthy while something waits for it.
import type { Engine } from '../engine/engine.ts';

export interface LossWatch {
  /** Aborts soon after the engine stopped being healthy, at once when it is not to begin with; with the caller's signal too. */
  readonly signal: AbortSignal;
  stop(): void;
}

/** A connection that is refused or cut says more than the loss it leads to, and may come a moment behind it. */
const errorsFirstMs = 200;

export function watchForLoss(engine: Engine, caller?: AbortSignal): LossWatch {
  const lost = new AbortController();
  const onAbort = (): void => {
    lost.abort(caller?.reason);
  };
  let timer: NodeJS.Timeout | undefined;
  const unsubscribe = engine.subscribe((change) => {
    if (change.kind !== 'state' || change.state === 'healthy') return;
    timer ??= setTimeout(() => {
      lost.abort();
    }, errorsFirstMs);
  });
  caller?.addEventListener('abort', onAbort, { once: true });
  if (caller?.aborted === true) onAbort();
  if (engine.state !== 'healthy') lost.abort();
  return {
    signal: lost.signal,
    stop: () => {
      unsubscribe();
      clearTimeout(timer);
      caller?.removeEventListener('abort', onAbort);
    },
  };
}
