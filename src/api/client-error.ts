// Answers to what is no HTTP request at all: broken lines, heads that are too long, HTTP/2 without being asked,
// clients that never finish their request.
import type { Duplex } from 'node:stream';
import { errorCode, errorMessage } from '../common/errors.ts';
import { answerRaw } from '../proxy/raw-answer.ts';

/** Answers with a JSON error where the connection still can carry one, and closes it. */
export function answerClientError(error: Error, socket: Duplex): void {
  const code = errorCode(error);
  if (code === 'ECONNRESET' || code === 'EPIPE' || !socket.writable) {
    socket.destroy();
    return;
  }
  answerRaw(socket, {
    statusCode: statuses[code ?? ''] ?? 400,
    rawHeaders: ['Content-Type', 'application/json'],
    body: `${JSON.stringify({ message: `malformed HTTP request: ${errorMessage(error)}` })}\n`,
  });
}

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
