// Takes a client's connection over and joins it with a connection of its own to an engine: attach, exec, the
// build sessions, with `Upgrade` or without. The engine decides: nothing but the request itself is sent to it
// before it has agreed to a raw stream, and an engine that refuses never hears from this client again.
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sleep } from '../common/abort.ts';
import { unavailable } from '../common/errors.ts';
import { announcedBoundary, type BodyBoundary, lengthBoundary } from './body-boundary.ts';
import { closeAbruptly, closeGently } from './closing.ts';
import { pipeBothWays } from './pipe-both-ways.ts';
import {
  changeHeaders,
  formatRequestHead,
  formatResponseHead,
  type HeaderChanges,
  type ResponseHead,
} from './raw-head.ts';
import { sendBody } from './request-body.ts';
import { readResponseHead } from './response-head.ts';
import { authority, connect, type Upstream } from './upstream.ts';

/** What a server's `upgrade` event delivers. */
export interface TakenConnection {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface HijackOptions {
  /** Path and query as the engine shall see them. */
  readonly path: string;
  readonly headers?: HeaderChanges;
  /** The head of the answer as the client is to see it; the engine's own by default. */
  readonly onHead?: (head: ResponseHead) => ResponseHead;
  /** Ends the connection, however far it has come. */
  readonly signal: AbortSignal;
}

/** How long a head travels alone when output is already waiting behind it. */
const headLeadMs = 2;

/** Resolves when both connections are closed. Rejects while the client's socket is untouched and still open, so that the
 *  caller can answer on it: with 503 when the engine cannot be reached or is lost before it answers, with 400 when the body is
 *  framed badly, with the signal's reason. */
export async function hijack(taken: TakenConnection, upstream: Upstream, options: HijackOptions): Promise<void> {
  const { req } = taken;
  const client = prepareClient(taken);
  const clientLost = new AbortController();
  const onClientClose = (): void => {
    clientLost.abort(new Error('the client has left'));
  };
  client.once('close', onClientClose);
  if (client.closed) onClientClose();
  const signal = AbortSignal.any([options.signal, clientLost.signal]);

  try {
    const engine = await connect(upstream, signal);
    assertMayBegin(upstream, engine);
    const head = await askEngine(req, client, engine, { upstream, ...options, signal });
    client.removeListener('close', onClientClose);
    await relay(options.onHead?.(head) ?? head, client, engine, options.signal);
  } catch (error) {
    if (!clientLost.signal.aborted) throw error;
  } finally {
    client.removeListener('close', onClientClose);
  }
}

function assertMayBegin(upstream: Upstream, engine: net.Socket): void {
  try {
    upstream.assertMayWrite?.();
  } catch (error) {
    engine.on('error', () => undefined).destroy();
    throw error;
  }
}

function prepareClient({ socket, head }: TakenConnection): net.Socket {
  if (!(socket instanceof net.Socket)) throw new TypeError('only the connection of a server can be hijacked');
  socket.on('error', () => undefined);
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  if (head.length > 0) socket.unshift(head);
  return socket;
}

interface Question extends HijackOptions {
  readonly upstream: Upstream;
}

async function askEngine(
  req: IncomingMessage,
  client: net.Socket,
  engine: net.Socket,
  { upstream, path, headers, signal }: Question,
): Promise<ResponseHead> {
  const badBody = new AbortController();
  engine.on('error', () => undefined);
  const changes = { host: authority(upstream), expect: undefined, ...headers };
  const rawHeaders = changeHeaders(req.rawHeaders, changes);
  // In one piece with a body that is there already: engines drop what has come with the head of an attach, and take
  // for input what comes later.
  engine.cork();
  engine.write(formatRequestHead({ method: req.method ?? 'POST', path, rawHeaders }));
  if (req.headers.expect !== undefined) client.write('HTTP/1.1 100 Continue\r\n\r\n');
  const body = sendBody(req, client, engine, (error) => {
    badBody.abort(error);
  });
  engine.uncork();
  try {
    return await readResponseHead(engine, AbortSignal.any([signal, badBody.signal]));
  } catch (error) {
    closeAbruptly(engine);
    if (badBody.signal.aborted) throw badBody.signal.reason;
    throw signal.aborted ? signal.reason : unavailable(upstream.name, error);
  } finally {
    body.stop();
  }
}

async function relay(head: ResponseHead, client: net.Socket, engine: net.Socket, signal: AbortSignal): Promise<void> {
  if (!opensRawStream(head)) {
    await relayAnswer(head, client, engine, signal);
    return;
  }
  // The head travels alone: some clients read the raw bytes beneath the buffer that their HTTP library filled.
  client.write(formatResponseHead(head));
  if (engine.readableLength > 0) await sleep(headLeadMs, signal);
  await pipeBothWays(client, engine, signal);
}

function opensRawStream({ statusCode, rawHeaders }: ResponseHead): boolean {
  return statusCode === 101 || (statusCode === 200 && announcedBoundary(rawHeaders) === undefined);
}

/** An ordinary answer. It ends the client's connection, because bytes for a raw stream may be on their way already. */
async function relayAnswer(
  head: ResponseHead,
  client: net.Socket,
  engine: net.Socket,
  signal: AbortSignal,
): Promise<void> {
  const rawHeaders = changeHeaders(head.rawHeaders, { Connection: 'close', 'Keep-Alive': undefined });
  const boundary = answerBoundary(head);
  const isClosed = client.closed ? Promise.resolve() : new Promise((resolve) => client.once('close', resolve));
  client.write(formatResponseHead({ ...head, rawHeaders }));
  try {
    await pipeline(engine, (chunks: AsyncIterable<Buffer>) => bodyOf(chunks, boundary), client, { signal, end: false });
    closeGently(client);
  } catch {
    closeAbruptly(client);
  }
  engine.destroy();
  await isClosed;
}

/** Undefined: the body lasts until the engine closes. */
function answerBoundary({ statusCode, rawHeaders }: ResponseHead): BodyBoundary | undefined {
  return statusCode === 204 || statusCode === 304 ? lengthBoundary(0) : announcedBoundary(rawHeaders);
}

async function* bodyOf(chunks: AsyncIterable<Buffer>, boundary: BodyBoundary | undefined): AsyncGenerator<Buffer> {
  if (boundary?.isDone() === true) return;
  for await (const chunk of chunks) {
    yield boundary === undefined ? chunk : chunk.subarray(0, boundary.take(chunk));
    if (boundary?.isDone() === true) return;
  }
  if (boundary !== undefined) throw new Error('the answer breaks off');
}
