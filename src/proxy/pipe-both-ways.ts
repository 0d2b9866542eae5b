// Two sockets become one: bytes and half-closes travel both ways until both are closed. An orderly end of one
// side stays an orderly end on the other, a broken one stays a broken one.
import type net from 'node:net';
import { closeAbruptly, closeGently } from './closing.ts';

/** Resolves when both sockets are closed, never rejects. `signal` breaks both. Both must allow half-open use and have an owner of their errors from here on: this function. */
export function pipeBothWays(client: net.Socket, engine: net.Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const onAbort = (): void => {
      closeAbruptly(client);
      closeAbruptly(engine);
    };
    const onClose = (): void => {
      if (!client.closed || !engine.closed) return;
      signal.removeEventListener('abort', onAbort);
      resolve();
    };

    whenClosed(engine, () => {
      // The output is complete and on its way; a reset could overtake it.
      if (engine.readableEnded) closeGently(client);
      else closeAbruptly(client);
      onClose();
    });
    whenClosed(client, () => {
      if (!client.readableEnded || !client.writableFinished) closeAbruptly(engine);
      onClose();
    });
    copy(client, engine);
    copy(engine, client);

    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function copy(from: net.Socket, to: net.Socket): void {
  from.on('error', () => undefined);
  if (from.readableEnded) {
    to.end();
    return;
  }
  from.once('end', () => to.end());
  from.pipe(to, { end: false });
}

function whenClosed(socket: net.Socket, act: () => void): void {
  if (socket.closed) process.nextTick(act);
  else socket.once('close', act);
}
