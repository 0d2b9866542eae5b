// The ways to end a raw socket: so that the peer surely reads the last bytes, or so that it surely notices
// that something broke.
import type net from 'node:net';
import { TLSSocket } from 'node:tls';

const lingerMs = 5_000;

/** Sends FIN after what was written and discards what still comes, until the peer closes too or is silent for 5 s. Closing at once could make the kernel drop the last bytes on their way. */
export function closeGently(socket: net.Socket): void {
  if (socket.destroyed) return;
  socket.setTimeout(lingerMs, () => socket.destroy());
  socket.once('end', () => {
    socket.destroySoon();
  });
  if (socket.readableEnded) socket.destroySoon();
  else socket.end();
  socket.resume();
}

/** Breaks the connection so that the peer sees an error and not an orderly end. */
export function closeAbruptly(socket: net.Socket): void {
  if (socket.destroyed) return;
  // Only a TCP handle can be reset; TLS without close_notify is an error to the peer by itself.
  if (socket instanceof TLSSocket || socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
