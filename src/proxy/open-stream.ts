// One request to an engine through its pool, answered with a stream that the caller reads or destroys.
import http from 'node:http';
import https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { unavailable } from '../common/errors.ts';
import { type HeaderChanges, type RawHeaders } from './raw-head.ts';
import { maySendAgain } from './stale-connection.ts';
import { authority, unpooledAgent, type Upstream, verifiesCertificate } from './upstream.ts';

export interface StreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: HeaderChanges;
  readonly body?: Buffer | Readable;
  /** Destroys the connection, before the answer and while it is read. */
  readonly signal: AbortSignal;
  /** Until the head of the answer has arrived; absent: for ever. */
  readonly timeoutMs?: number;
}

export interface OpenedStream {
  readonly statusCode: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: RawHeaders;
  /** Fails when the answer breaks off. Must be read to its end or destroyed. */
  readonly stream: http.IncomingMessage;
}

/** Rejects with 503 when the engine cannot be reached, is lost or is silent for too long; with the signal's reason when it aborts. */
export async function openStream(upstream: Upstream, request: StreamRequest): Promise<OpenedStream> {
  const first = await attempt(upstream, request, upstream.agent);
  const isFinal = 'response' in first || isStream(request.body) || !maySendAgain(first.request, first.error);
  const last = isFinal ? first : await attempt(upstream, request, unpooledAgent(upstream));
  if ('response' in last) return opened(last.response);
  throw request.signal.aborted ? request.signal.reason : unavailable(upstream.name, last.error);
}

type Attempt =
  { readonly response: http.IncomingMessage } | { readonly request: http.ClientRequest; readonly error: unknown };

function attempt(upstream: Upstream, options: StreamRequest, agent: http.Agent): Promise<Attempt> {
  return new Promise((resolve) => {
    const { signal, timeoutMs, body } = options;
    const request = startRequest(upstream, options, agent);
    const onAbort = (): void => {
      request.destroy(signal.reason as Error);
    };
    const deadline =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);

    signal.addEventListener('abort', onAbort, { once: true });
    request.once('close', () => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
    });
    request.on('error', (error) => {
      resolve({ request, error });
    });
    request.once('response', (response) => {
      clearTimeout(deadline);
      response.on('error', () => undefined);
      resolve({ response });
    });
    if (signal.aborted) onAbort();
    sendBody(request, body);
  });
}

function startRequest(upstream: Upstream, options: StreamRequest, agent: http.Agent): http.ClientRequest {
  const { host, port, socketPath, tls } = upstream;
  const { method, path, body } = options;
  const target = socketPath === undefined ? { host, port } : { socketPath };
  const headers = { host: authority(upstream), ...bodyLength(method, body), ...definedHeaders(options.headers) };
  const rejectUnauthorized = verifiesCertificate(upstream);
  return (tls === undefined ? http : https).request({ ...target, method, path, headers, agent, rejectUnauthorized });
}

function bodyLength(method: string, body: StreamRequest['body']): Readonly<Record<string, string>> {
  if (isStream(body)) return {};
  if (body !== undefined) return { 'content-length': String(body.length) };
  return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' };
}

function definedHeaders(headers: HeaderChanges = {}): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : [...value]]],
    ),
  );
}

function sendBody(request: http.ClientRequest, body: StreamRequest['body']): void {
  if (!isStream(body)) {
    request.end(body);
    return;
  }
  // A source that fails destroys the request, and that is reported as the request's error.
  pipeline(body, request, () => undefined);
}

function opened(response: http.IncomingMessage): OpenedStream {
  const { statusCode = 0, headers, rawHeaders } = response;
  return { statusCode, headers, rawHeaders, stream: response };
}

function isStream(body: StreamRequest['body']): body is Readable {
  return body !== undefined && !Buffer.isBuffer(body);
}
