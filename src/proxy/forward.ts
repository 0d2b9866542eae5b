// Forwards one request to one engine and its answer back, as a stream both ways. Whoever leaves takes the other
// side along: a client that goes ends the engine's work, an engine that is lost breaks the client's answer.
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import httpProxy from 'http-proxy';
import { unavailable } from '../common/errors.ts';
import { clientGone } from './client-gone.ts';
import { readAnswer } from './exchange.ts';
import { changeHeaders, groupHeaders, type HeaderChanges, headerValue, type ResponseHead } from './raw-head.ts';
import { maySendAgain } from './stale-connection.ts';
import { authority, unpooledAgent, type Upstream, verifiesCertificate } from './upstream.ts';

export interface ForwardOptions {
  /** Path and query as the engine shall see them. */
  readonly path: string;
  readonly headers?: HeaderChanges;
  /** Sent in place of the client's body, which the caller has read. */
  readonly body?: Buffer;
  /** Until the head of the answer has arrived; absent: for ever. */
  readonly timeoutMs?: number;
  /** Breaks the exchange off. */
  readonly signal?: AbortSignal;
  /** Changes the head before the client sees it; framing headers of this hop are already gone. */
  readonly onHead?: (head: ResponseHead) => ResponseHead;
  /** Changes a JSON answer of status 2xx, which is read whole for it; every other answer stays a stream. */
  readonly rewrite?: (body: unknown) => unknown;
  /** Last words of an answer whose engine was lost, which is then ended in order; absent: the client's connection breaks. */
  readonly farewell?: (cause: Error) => string;
  /** Awaited when all of a streamed answer was passed on, before it ends. Must not reject. */
  readonly beforeEnd?: (signal: AbortSignal) => Promise<void>;
}

export interface ForwardResult {
  readonly outcome: 'complete' | 'client-gone' | 'engine-lost';
  /** Absent when the client left before the engine had answered. */
  readonly statusCode?: number;
}

const maxRewriteBytes = 256 * 1024 * 1024;

/** Resolves when the client has its answer or either side is lost. Rejects only while nothing was sent to the client, so that
 *  the caller can answer: with 503 when the engine cannot be reached, is lost or is silent for too long, with the reason of
 *  `signal`, with what `onHead` or `rewrite` throw. */
export async function forward(
  req: http.IncomingMessage,
  res: http.ServerResponse,
  upstream: Upstream,
  options: ForwardOptions,
): Promise<ForwardResult> {
  const gone = clientGone(res);
  const signal = options.signal === undefined ? gone : AbortSignal.any([gone, options.signal]);
  const exchange = { req, res, upstream, options, gone, signal };
  try {
    const first = await ask(exchange, upstream.agent);
    const last =
      'answer' in first || !maySendAgain(first.request, first.error)
        ? first
        : await ask(exchange, unpooledAgent(upstream));
    if ('answer' in last) return await relay(exchange, last);
    throw signal.aborted ? signal.reason : unavailable(upstream.name, last.error);
  } catch (error) {
    if (gone.aborted) return { outcome: 'client-gone' };
    throw error;
  }
}

interface Exchange {
  readonly req: http.IncomingMessage;
  readonly res: http.ServerResponse;
  readonly upstream: Upstream;
  readonly options: ForwardOptions;
  /** Aborts when the client has left. */
  readonly gone: AbortSignal;
  /** Aborts when the client has left or the caller ends the exchange. */
  readonly signal: AbortSignal;
}

interface Answered {
  readonly answer: http.IncomingMessage;
  readonly request: http.ClientRequest | undefined;
}

interface Unanswered {
  readonly error: Error;
  readonly request: http.ClientRequest | undefined;
}

function ask({ req, res, upstream, options, signal }: Exchange, agent: http.Agent): Promise<Answered | Unanswered> {
  return new Promise((resolve) => {
    const proxy = httpProxy.createProxyServer({
      target: proxyTarget(upstream),
      agent,
      secure: verifiesCertificate(upstream),
      toProxy: true,
      selfHandleResponse: true,
    });
    const proxied = proxiedRequest(req, upstream, options);
    let request: http.ClientRequest | undefined;

    const breakOff = (error: Error): void => {
      settle({ error, request });
      proxied.emit('aborted');
    };
    const onAbort = (): void => {
      breakOff(signal.reason as Error);
    };
    const stopDeadline = startDeadline(options.timeoutMs, breakOff);
    const settle = (result: Answered | Unanswered): void => {
      stopDeadline();
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };

    signal.addEventListener('abort', onAbort, { once: true });
    proxy.on('proxyReq', (started) => {
      request = started;
      // The engine may answer before the client has sent a byte of its body.
      if (options.body === undefined && !req.complete) started.flushHeaders();
    });
    proxy.on('proxyRes', (answer) => {
      // The failure of a half-read answer is seen where it is read.
      answer.on('error', () => undefined);
      settle({ answer, request });
    });
    proxy.on('econnreset', (error) => {
      settle({ error, request });
    });
    proxy.web(proxied, res, { buffer: requestBody(req, options.body) }, (error) => {
      settle({ error, request });
    });
    if (signal.aborted) onAbort();
  });
}

function proxyTarget({ host, port, socketPath, tls }: Upstream): httpProxy.ProxyTarget {
  return {
    host,
    port,
    protocol: tls === undefined ? 'http:' : 'https:',
    ...(socketPath === undefined ? {} : { socketPath }),
  };
}

/** The request as http-proxy shall see it; `aborted` emitted on it ends the request that http-proxy makes of it. */
function proxiedRequest(req: http.IncomingMessage, upstream: Upstream, options: ForwardOptions): http.IncomingMessage {
  return Object.assign(new http.IncomingMessage(req.socket), {
    method: req.method,
    httpVersion: req.httpVersion,
    url: options.path,
    headers: requestHeaders(req, upstream, options),
  });
}

/** Headers of this hop, which Node writes anew for the next one. Expect was answered by our own server. */
const hopHeaders = {
  connection: undefined,
  'keep-alive': undefined,
  'proxy-connection': undefined,
  upgrade: undefined,
  te: undefined,
  trailer: undefined,
  expect: undefined,
};

function requestHeaders(
  req: http.IncomingMessage,
  upstream: Upstream,
  options: ForwardOptions,
): http.IncomingHttpHeaders {
  const changes = {
    ...hopHeaders,
    ...framing(req, options.body),
    ...(options.rewrite === undefined ? {} : { 'accept-encoding': undefined }),
    host: authority(upstream),
    ...options.headers,
  };
  return groupHeaders(changeHeaders(req.rawHeaders, changes));
}

/** In lower case, the only spelling that http-proxy finds. */
function framing({ method, headers }: http.IncomingMessage, body: Buffer | undefined): HeaderChanges {
  if (body !== undefined) return { 'content-length': String(body.length), 'transfer-encoding': undefined };
  if (headers['transfer-encoding'] !== undefined)
    return { 'content-length': undefined, 'transfer-encoding': 'chunked' };
  const isBodyless = method === 'GET' || method === 'HEAD';
  // Without a length Node would send an empty chunked body, which engines refuse where they expect none.
  return { 'content-length': headers['content-length'] ?? (isBodyless ? undefined : '0') };
}

function requestBody(req: http.IncomingMessage, body: Buffer | undefined): Readable {
  return body === undefined ? req : Readable.from([body]);
}

function startDeadline(timeoutMs: number | undefined, onLate: (error: Error) => void): () => void {
  if (timeoutMs === undefined) return () => undefined;
  const timer = setTimeout(() => {
    onLate(new Error(`no answer within ${timeoutMs} ms`));
  }, timeoutMs);
  return () => {
    clearTimeout(timer);
  };
}

async function relay(exchange: Exchange, { answer, request }: Answered): Promise<ForwardResult> {
  const { req, options } = exchange;
  try {
    return options.rewrite !== undefined && isJsonSuccess(answer)
      ? await relayRewritten(exchange, answer, options.rewrite)
      : await relayStream(exchange, answer);
  } finally {
    answer.destroy();
    if (!req.complete) discardRest(req);
    if (request?.writableFinished === false) request.destroy();
  }
}

/** What the client still sends must be read, or its connection could not carry another request. */
function discardRest(req: http.IncomingMessage): void {
  req.unpipe();
  req.resume();
}

async function relayStream(exchange: Exchange, answer: http.IncomingMessage): Promise<ForwardResult> {
  const { res, options, gone, signal } = exchange;
  const { statusCode } = sendHead(exchange, responseHead(answer));
  // Clients wait for the head alone: a wait answers its body days later.
  res.flushHeaders();
  try {
    await pipeline(answer, res, { signal, end: false });
    await options.beforeEnd?.(signal);
    res.end();
    return { outcome: 'complete', statusCode };
  } catch (error) {
    const outcome = gone.aborted ? 'client-gone' : 'engine-lost';
    if (options.farewell !== undefined && !signal.aborted) res.end(options.farewell(asError(error)));
    else res.destroy();
    return { outcome, statusCode };
  }
}

async function relayRewritten(
  exchange: Exchange,
  answer: http.IncomingMessage,
  rewrite: (body: unknown) => unknown,
): Promise<ForwardResult> {
  const { res, upstream, signal } = exchange;
  const onAbort = (): void => {
    answer.destroy(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const text = await readText(answer, upstream);
    const body = Buffer.from(`${JSON.stringify(rewrite(JSON.parse(text)))}\n`);
    const head = responseHead(answer);
    const rawHeaders = changeHeaders(head.rawHeaders, { 'Content-Length': String(body.length) });
    const { statusCode } = sendHead(exchange, { ...head, rawHeaders });
    res.end(body);
    return { outcome: 'complete', statusCode };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function readText(answer: http.IncomingMessage, upstream: Upstream): Promise<string> {
  try {
    return (await readAnswer(answer, maxRewriteBytes)).toString('utf8');
  } catch (error) {
    throw unavailable(upstream.name, error);
  }
}

function isJsonSuccess({ statusCode = 0, rawHeaders }: http.IncomingMessage): boolean {
  const type = headerValue(rawHeaders, 'content-type') ?? '';
  return statusCode >= 200 && statusCode < 300 && statusCode !== 204 && type.startsWith('application/json');
}

function responseHead({ statusCode = 502, statusMessage = '', rawHeaders }: http.IncomingMessage): ResponseHead {
  const hop = { connection: undefined, 'keep-alive': undefined, 'transfer-encoding': undefined, trailer: undefined };
  return { statusCode, statusMessage, rawHeaders: changeHeaders(rawHeaders, hop) };
}

/** The head that was sent. */
function sendHead({ res, options }: Exchange, head: ResponseHead): ResponseHead {
  const { statusCode, statusMessage, rawHeaders } = options.onHead?.(head) ?? head;
  res.writeHead(statusCode, statusMessage, [...rawHeaders]);
  return { statusCode, statusMessage, rawHeaders };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
