// Answers to what is no HTTP request at all: broken lines, heads that are too long, HTTP/2 without being asked,
// clients that never finish their request.
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { errorCode, errorMessage } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { handshakeRefusal } from '../common/handshake-refusal.ts';
import { answerRaw } from '../proxy/raw-answer.ts';

/** Answers with a JSON error where the connection still can carry one, and closes it. */
export function answerClientError(error: Error, socket: Duplex): void {
  const code = errorCode(error);
  if (code === 'ECONNRESET' || code === 'EPIPE' || !socket.writable || hasNoHandshake(error)) {
    socket.destroy();
    return;
  }
  answerRaw(socket, {
    statusCode: statuses[code ?? ''] ?? 400,
    rawHeaders: ['Content-Type', 'application/json'],
    body: `${JSON.stringify({ message: `malformed HTTP request: ${errorMessage(error)}` })}\n`,
  });
}

/** Nothing can be said over TLS that did not come about. */
function hasNoHandshake(error: Error): boolean {
  return errorCode(error)?.startsWith('ERR_SSL_') === true || errorCode(error) === 'ERR_TLS_HANDSHAKE_TIMEOUT';
}

/** What the log says of a client that TLS does not let in. */
export const refusedClient = 'a client failed the TLS handshake';

/** Tells why a client did not get past the TLS handshake. */
export function logRefusedClient(error: Error, socket: TLSSocket, logger: Logger): void {
  const refusal = handshakeRefusal(error, socket);
  if (refusal !== undefined) logger.warn(refusedClient, { ...refusal });
}

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
