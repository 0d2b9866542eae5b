// A pooled connection may have been closed by the engine just when it is used again. Sending once more is right
// only when the engine cannot have acted on the first attempt.
import type { ClientRequest } from 'node:http';
import { errorCode } from '../common/errors.ts';

/** Whether `request`, which failed with `error` before any byte of an answer, may be sent again on a new connection. */
export function maySendAgain(request: ClientRequest | undefined, error: unknown): boolean {
  if (request?.reusedSocket !== true) return false;
  const code = errorCode(error);
  if (code !== 'ECONNRESET' && code !== 'EPIPE') return false;
  return (request.method === 'GET' || request.method === 'HEAD') && !hasBody(request);
}

function hasBody(request: ClientRequest): boolean {
  return request.hasHeader('content-length') || request.hasHeader('transfer-encoding');
}
