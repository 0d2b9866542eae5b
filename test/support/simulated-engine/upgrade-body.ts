// Node hands an upgrade request over with its body still in the byte stream. This cuts the body off, so that what
// follows is exactly what the client means for the other side of the hijacked connection.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

interface Cut {
  readonly body: Buffer;
  readonly rest: Buffer;
}

/** The request's body; bytes beyond it go back in front of `socket`. Rejects when the client ends within the body. */
export async function readUpgradeBody(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Buffer> {
  const cutOff = request.headers['transfer-encoding'] === 'chunked' ? cutChunked : cutLength(request);
  let received = head;
  for (;;) {
    const cut = cutOff(received);
    if (cut) {
      if (cut.rest.length > 0) socket.unshift(cut.rest);
      return cut.body;
    }
    received = Buffer.concat([received, await nextBytes(socket)]);
  }
}

function cutLength(request: IncomingMessage): (received: Buffer) => Cut | undefined {
  const length = Number(request.headers['content-length'] ?? 0);
  return (received) => {
    if (received.length < length) return undefined;
    return { body: received.subarray(0, length), rest: received.subarray(length) };
  };
}

function cutChunked(received: Buffer): Cut | undefined {
  const chunks: Buffer[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = received.indexOf('\r\n', position);
    if (lineEnd === -1) return undefined;
    const length = parseInt(received.toString('latin1', position, lineEnd), 16);
    const start = lineEnd + 2;
    const next = start + length + 2;
    if (received.length < next) return undefined;
    if (length === 0) return { body: Buffer.concat(chunks), rest: received.subarray(next) };
    chunks.push(received.subarray(start, start + length));
    position = next;
  }
}

async function nextBytes(socket: Duplex): Promise<Buffer> {
  for (;;) {
    const bytes: unknown = socket.read();
    if (Buffer.isBuffer(bytes)) return bytes;
    if (socket.readableEnded || socket.destroyed) throw new Error('the client ended within the request body');
    await once(socket, 'readable');
  }
}
