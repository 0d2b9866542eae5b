// One signal for each call under way: it aborts when the client is gone or the server stops. Made by hand,
// because signals derived from one that lives as long as the process pile up on it.
import type { ServerResponse } from 'node:http';

export interface CallSignal {
  readonly signal: AbortSignal;
  /** To be called when the call is over. */
  close(): void;
}

export class CallSignals {
  readonly #open = new Set<AbortController>();

  /** With `res`, the signal aborts when its connection closes before the answer is complete. */
  open(res?: ServerResponse): CallSignal {
    const controller = new AbortController();
    const onClose = (): void => {
      if (res?.writableFinished === false) controller.abort(new Error('the client has left'));
    };
    this.#open.add(controller);
    res?.once('close', onClose);
    return {
      signal: controller.signal,
      close: () => {
        this.#open.delete(controller);
        res?.removeListener('close', onClose);
      },
    };
  }

  abortAll(reason: Error): void {
    for (const controller of this.#open) controller.abort(reason);
  }
}
