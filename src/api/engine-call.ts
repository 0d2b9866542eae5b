// Calls with small bodies both ways: the engine's answer is held whole, so that it can be read, and so that the
// mirror can be brought up to date before the client sees it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { watchForLoss } from '../cluster/engine-loss.ts';
import { Deadline } from '../common/deadline.ts';
import { exchange } from '../proxy/exchange.ts';
import type { ExchangeAnswer } from '../proxy/exchange.ts';
import { groupHeaders } from '../proxy/raw-head.ts';
import { ApiError, unavailable } from '../common/errors.ts';
import { textMember } from '../docker/go-member.ts';
import type { Engine } from '../engine/engine.ts';
import type { ApiCall, RequestCall } from './api-call.ts';
import type { Target } from './route.ts';
import { translateBody } from './translate.ts';
import { effectivePath } from './versions.ts';

/** An answer is not held back longer than this for the mirror's sake. */
const settleLimitMs = 10_000;
/** An error is held back no longer than this. */
const lostSettleLimitMs = 2_000;

/**
 * The engine's answer to the client's request, whatever its status. Throws 503 when there is none, because the engine
 * was lost or cannot be reached.
 */
export async function callEngine(target: Target, call: ApiCall): Promise<ExchangeAnswer> {
  const { engine } = target;
  const body = await call.body();
  call.trace.reaches(engine.name);
  return await whileHealthy(engine, call.signal, (signal) => askEngine(target, call, { body, signal }));
}

/** `work`, with a signal that ends it when the engine is lost, which is 503, or the caller's does. */
export async function whileHealthy<T>(
  engine: Engine,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const loss = watchForLoss(engine, signal);
  try {
    return await work(loss.signal);
  } catch (error) {
    const isLost = loss.signal.aborted && !signal.aborted;
    throw isLost ? unavailable(engine.name, engine.lastError ?? engine.state) : error;
  } finally {
    loss.stop();
  }
}

export interface EngineQuestion {
  /** In place of the client's body. */
  readonly body: Buffer;
  readonly signal: AbortSignal;
  /** The client's own when absent. */
  readonly method?: string;
}

/** As `callEngine`, with a body that the caller has read or made; it is put into the words of the engine's API version. */
export async function askEngine(
  { engine, path, search, headers }: Target,
  call: RequestCall,
  { body, signal, method = call.req.method ?? 'GET' }: EngineQuestion,
): Promise<ExchangeAnswer> {
  return await exchange(engine.endpoint, {
    method,
    path: effectivePath(call, engine, { path, search: search ?? call.search }),
    headers: { ...passedHeaders(call.req), ...headers },
    body: translateBody({ method, path, version: call.version, body }, engine),
    signal,
  });
}

/** Throws what the engine refused the call with, its status and its words. */
export function assertSuccess({ statusCode, body }: ExchangeAnswer): void {
  if (statusCode >= 400) throw new ApiError(statusCode, messageOf(body.toString('utf8')));
}

/** The message of an engine's error, which is JSON nearly everywhere. */
export function messageOf(text: string): string {
  try {
    return textMember(JSON.parse(text), 'message') || text.trim();
  } catch {
    return text.trim();
  }
}

/** The headers that travel on, each as one line under its name in lower case; that of the body's type stays behind. */
export function forwardedHeaders(req: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(passedHeaders(req))
      .filter(([name]) => name.toLowerCase() !== 'content-type')
      .map(([name, value]) => [name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')]),
  );
}

/**
 * Does the call, brings the mirror up to what it changed, and answers. A call that was refused or lost may have
 * changed something all the same: a start that failed leaves an exit code, a cut answer says nothing at all.
 * `answerInstead` tells whether it has answered the client itself.
 */
export async function callEngineAndSettle(
  target: Target,
  call: ApiCall,
  answerInstead: (answer: ExchangeAnswer) => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  let answer: ExchangeAnswer;
  try {
    answer = await callEngine(target, call);
  } catch (error) {
    await settleLost(target);
    throw error;
  }
  await settle({ settle: (signal) => target.settle?.(signal, answer.statusCode) }, call.signal);
  if (await answerInstead(answer)) return;
  sendEngineAnswer(call.res, answer);
}

/** Brings the mirror up to what the call changed, but gives up after a while: the call itself has succeeded. */
export async function settle(
  target: { readonly settle?: ((signal: AbortSignal) => Promise<void> | undefined) | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (!target.settle) return;
  const deadline = new Deadline(settleLimitMs, [signal]);
  try {
    await target.settle(deadline.signal);
  } finally {
    deadline.clear();
  }
}

/** Without the call's own signal: that the client has left may be why the call was lost. */
async function settleLost({ settle: read }: Target): Promise<void> {
  if (!read) return;
  const deadline = new Deadline(lostSettleLimitMs, []);
  try {
    await read(deadline.signal);
  } finally {
    deadline.clear();
  }
}

/** Passes the engine's answer on, under the manager's own headers where both have one. */
export function sendEngineAnswer(res: ServerResponse, { statusCode, rawHeaders, body }: ExchangeAnswer): void {
  for (const [name, value] of Object.entries(groupHeaders(rawHeaders))) {
    if (!ownedByManager.has(name.toLowerCase())) res.setHeader(name, value);
  }
  const hasBody = statusCode !== 204 && statusCode !== 304;
  if (hasBody) res.setHeader('Content-Length', body.length);
  res.writeHead(statusCode).end(hasBody ? body : undefined);
}

/** The client's headers that travel on to an engine; those of the connection do not. Repeated ones stay repeated. */
export function passedHeaders(req: IncomingMessage): Record<string, string | string[]> {
  const headers = Object.entries(groupHeaders(req.rawHeaders));
  return Object.fromEntries(headers.filter(([name]) => !ownedByConnection.has(name.toLowerCase())));
}

/** Headers that say something about one connection or about how a body travels on it. */
const ownedByConnection = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const ownedByManager = new Set([
  ...ownedByConnection,
  'api-version',
  'date',
  'docker-experimental',
  'ostype',
  'server',
]);
