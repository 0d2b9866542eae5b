// Calls with small bodies both ways: the engine's answer is held whole, so that it can be read, and so that the
// mirror can be brought up to date before the client sees it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Deadline } from '../engine/deadline.ts';
import { exchange } from '../proxy/exchange.ts';
import type { ExchangeAnswer } from '../proxy/exchange.ts';
import { groupHeaders } from '../proxy/raw-head.ts';
import type { ApiCall } from './api-call.ts';
import { readBody } from './request-body.ts';
import type { Target } from './route.ts';
import { effectivePath } from './versions.ts';

/** An answer is not held back longer than this for the mirror's sake. */
const settleLimitMs = 10_000;

/** The engine's answer to the client's request, whatever its status. Throws 503 when there is none. */
export async function callEngine(target: Target, call: ApiCall): Promise<ExchangeAnswer> {
  const { engine, path, search = call.search } = target;
  const body = await readBody(call.req);
  return await exchange(engine.endpoint, {
    method: call.req.method ?? 'GET',
    path: effectivePath(call, engine, { path, search }),
    headers: passedHeaders(call.req),
    body,
    signal: call.signal,
  });
}

/** Does the call, brings the mirror up to what it changed, and answers. */
export async function callEngineAndSettle(target: Target, call: ApiCall): Promise<void> {
  const answer = await callEngine(target, call);
  if (answer.statusCode < 400) await settle(target, call.signal);
  sendEngineAnswer(call.res, answer);
}

/** Brings the mirror up to what the call changed, but gives up after a while: the call itself has succeeded. */
export async function settle(target: Pick<Target, 'settle'>, signal: AbortSignal): Promise<void> {
  if (!target.settle) return;
  const deadline = new Deadline(settleLimitMs, [signal]);
  try {
    await target.settle(deadline.signal);
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
