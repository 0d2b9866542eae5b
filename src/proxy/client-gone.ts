// Tells whether the client still waits for its answer. Only the response knows: the request closes as soon as
// it has been read.
import type { ServerResponse } from 'node:http';

/** Aborts when the connection closes before the answer was written completely. */
export function clientGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(new Error('the client has left'));
  };
  if (response.closed || response.destroyed) onClose();
  else response.once('close', onClose);
  return gone.signal;
}
