// An answer of our own on a connection that was taken from its server: after an `upgrade` event nobody else
// writes the head.
import { STATUS_CODES } from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { closeGently } from './closing.ts';
import { formatResponseHead, type RawHeaders } from './raw-head.ts';

export interface RawAnswer {
  readonly statusCode: number;
  /** Without framing headers; they are added. */
  readonly rawHeaders: RawHeaders;
  readonly body: string;
}

/** Writes `answer` and closes the connection. Does nothing on a closed one. */
export function answerRaw(socket: Duplex, { statusCode, rawHeaders, body }: RawAnswer): void {
  socket.on('error', () => undefined);
  if (socket.destroyed) return;
  const framing = ['Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'];
  const statusMessage = STATUS_CODES[statusCode] ?? '';
  socket.write(formatResponseHead({ statusCode, statusMessage, rawHeaders: [...rawHeaders, ...framing] }));
  socket.write(body);
  if (socket instanceof net.Socket) closeGently(socket);
  else socket.end();
}
