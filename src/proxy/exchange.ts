// One request to an engine whose answer is needed whole. The answer is bounded, and half an answer is none.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { readWhole } from '../common/collect.ts';
import { unavailable } from '../common/errors.ts';
import { openStream, type StreamRequest } from './open-stream.ts';
import type { RawHeaders } from './raw-head.ts';
import type { Upstream } from './upstream.ts';

export interface ExchangeRequest extends StreamRequest {
  /** Until the last byte of the answer has arrived; absent: for ever. */
  readonly timeoutMs?: number;
  /** A longer answer is refused; 64 MiB when absent. */
  readonly maxBytes?: number;
}

export interface ExchangeAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: RawHeaders;
  readonly body: Buffer;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/** Any status is an answer. Rejects with 503 when the engine cannot be reached, is lost, is silent for too long or says too
 *  much; with the signal's reason when it aborts. */
export async function exchange(upstream: Upstream, request: ExchangeRequest): Promise<ExchangeAnswer> {
  const { timeoutMs, signal } = request;
  const started = performance.now();
  const { statusCode, headers, rawHeaders, stream } = await openStream(upstream, request);
  const deadline =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => stream.destroy(new Error(`no complete answer within ${timeoutMs} ms`)),
          Math.max(0, timeoutMs - (performance.now() - started)),
        );
  try {
    const body = await readAnswer(stream, request.maxBytes ?? defaultMaxBytes);
    return { statusCode, headers, rawHeaders, body };
  } catch (error) {
    throw signal.aborted ? signal.reason : unavailable(upstream.name, error);
  } finally {
    clearTimeout(deadline);
  }
}

/** Everything that `stream` says. Rejects, and destroys it, when that is more than `maxBytes` or it breaks off. */
export async function readAnswer(stream: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return await readWhole(stream, {
    maxBytes,
    tooLong: () => new Error(`the answer is longer than ${maxBytes} bytes`),
  });
}
