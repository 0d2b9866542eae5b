// Turns whatever was thrown into the bytes of an answer: the only place that does. An ApiError keeps its status
// and message; anything else is a 500 whose stack goes to the log alone.
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, errorMessage } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { answerRaw } from '../proxy/raw-answer.ts';
import { sendBytes, sendEmpty } from './answer.ts';
import { ClientTooOldError } from './versions.ts';

type Headers = Readonly<Record<string, string>>;

/** Answers `error`, or ends the answer that has begun so that the client can tell that it is not complete. */
export function answerError(res: ServerResponse, error: unknown, logger: Logger, headers: Headers = {}): void {
  if (res.writableEnded || res.destroyed) return;
  const { status, message, type, body } = toErrorAnswer(error, logger);
  if (res.headersSent) {
    endBrokenAnswer(res, status, message);
    return;
  }
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (status === 304) sendEmpty(res, status);
  else sendBytes(res, status, type, Buffer.from(body));
}

/** As `answerError`, on a connection that was taken from the server; closes it. */
export function answerErrorRaw(socket: Duplex, error: unknown, logger: Logger, headers: Headers = {}): void {
  if (socket.destroyed) return;
  const { status, type, body } = toErrorAnswer(error, logger);
  answerRaw(socket, {
    statusCode: status,
    rawHeaders: [...Object.entries(headers).flat(), 'Content-Type', type],
    body,
  });
}

/** The last object of a stream of JSON objects that failed, as one line. Engines name a code only where it says something. */
export function progressError(code: number, message: string): string {
  const detail = code === 500 ? { message } : { code, message };
  return `${JSON.stringify({ errorDetail: detail, error: message })}\r\n`;
}

interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly body: string;
}

function toErrorAnswer(error: unknown, logger: Logger): ErrorAnswer {
  if (error instanceof ClientTooOldError) {
    const { status, message } = error;
    return { status, message, type: 'text/plain; charset=utf-8', body: `${message}\n` };
  }
  if (error instanceof ApiError) return jsonAnswer(error.status, error.message);
  logger.error('a request failed unexpectedly', { error: error instanceof Error ? error.stack : String(error) });
  return jsonAnswer(500, errorMessage(error));
}

function jsonAnswer(status: number, message: string): ErrorAnswer {
  return { status, message, type: 'application/json', body: `${JSON.stringify({ message })}\n` };
}

/** A stream of JSON objects can carry the error; any other answer can only break off. */
function endBrokenAnswer(res: ServerResponse, code: number, message: string): void {
  const isJsonStream = res.getHeader('Content-Type') === 'application/json' && !res.hasHeader('Content-Length');
  if (isJsonStream) res.end(progressError(code, message));
  else res.destroy();
}
