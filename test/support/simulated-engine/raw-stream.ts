// What attach and exec have in common: the content type, and reading a hijacked connection with back-pressure.
import type { Socket } from 'node:net';
import { isAtLeast } from './api-version.ts';
import type { EngineState } from './engine-state.ts';

/** `apiVersion` is the request's. */
export function streamContentType(tty: boolean, apiVersion: string): string {
  const isFramed = !tty && isAtLeast(apiVersion, '1.42');
  return `application/vnd.docker.${isFramed ? 'multiplexed' : 'raw'}-stream`;
}

/** Reads until the client ends its side. While what was written waits to be sent, nothing more is read. */
export function pumpInput(
  state: EngineState,
  socket: Socket,
  { onBytes, onEnd }: { readonly onBytes: (bytes: Buffer) => void; readonly onEnd: () => void },
): void {
  socket.on('data', (bytes: Buffer) => {
    state.gate.run(() => {
      if (socket.destroyed) return;
      onBytes(bytes);
      if (socket.writableNeedDrain) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
  });
  socket.once('end', () => {
    state.gate.run(onEnd);
  });
  socket.resume();
}
