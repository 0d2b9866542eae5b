// One exchange on a connection of its own, as bytes: nothing is followed, retried or decoded, and a stream is read to
// its end or until the script hangs up. Every wait has a limit.
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { readIdentity } from '../rig/certificates.ts';
import { urlOf, type Peer } from '../rig/http-call.ts';
import { until } from '../until.ts';
import type { Answer, Exchange } from './exchange.ts';

export interface Outgoing {
  readonly target: Peer;
  readonly path: string;
  readonly exchange: Exchange;
  /** Runs once the head of the answer is here. */
  readonly afterHead: () => Promise<void>;
}

const limitMs = 60_000;

export async function send({ target, path, exchange, afterHead }: Outgoing): Promise<Answer> {
  const body = exchange.bytes ?? (exchange.json === undefined ? undefined : Buffer.from(JSON.stringify(exchange.json)));
  const start = target.tls ? secureRequest : request;
  const outgoing = start(urlOf(target, ''), {
    ...(target.tls && readIdentity(target.tls)),
    method: exchange.method,
    path,
    agent: false,
    signal: AbortSignal.timeout(limitMs),
    headers: { ...framingHeaders(exchange, body), ...upgradeHeaders(exchange), ...exchange.headers },
  });
  const opened = open(outgoing);
  opened.catch(() => undefined);
  if (exchange.input === undefined || exchange.upgrade !== undefined) outgoing.end(body);
  else outgoing.write(body ?? '');
  const { incoming, stream } = await opened;
  const collected = collect(stream);
  if (incoming.statusCode === 101) (stream as Duplex).end(exchange.input ?? '');
  else if (exchange.input !== undefined) outgoing.socket?.end(exchange.input);
  await afterHead();
  if (exchange.hangUpAfter) {
    const wanted = exchange.hangUpAfter;
    await until(
      `${exchange.method} ${path} sends ${wanted.join(' and ')}; it sent ${String(collected.bytes())}`,
      () => collected.isDone() || wanted.every((text) => collected.bytes().includes(text)),
      limitMs,
    );
    if (!collected.isDone()) outgoing.destroy();
  }
  const end = await collected.end;
  return {
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body: collected.bytes(),
    end: exchange.hangUpAfter && end !== 'ended' ? 'hung up' : end,
  };
}

interface Opened {
  readonly incoming: IncomingMessage;
  readonly stream: Duplex | IncomingMessage;
}

async function open(outgoing: ClientRequest): Promise<Opened> {
  return await new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      resolve({ incoming, stream: incoming });
    });
    outgoing.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.unshift(head);
      resolve({ incoming, stream: socket });
    });
  });
}

function collect(stream: Duplex | IncomingMessage): {
  readonly end: Promise<'ended' | 'broken'>;
  bytes(): Buffer;
  isDone(): boolean;
} {
  const chunks: Buffer[] = [];
  let isDone = false;
  const end = new Promise<'ended' | 'broken'>((resolve) => {
    const finish = (how: 'ended' | 'broken'): void => {
      isDone = true;
      resolve(how);
    };
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      finish('ended');
    });
    stream.on('error', () => {
      finish('broken');
    });
    stream.on('close', () => {
      finish('broken');
    });
  });
  return { end, bytes: () => Buffer.concat(chunks), isDone: () => isDone };
}

function framingHeaders(exchange: Exchange, body: Buffer | undefined): Record<string, string> {
  const type = exchange.bytes === undefined ? 'application/json' : 'application/x-tar';
  if (exchange.headers?.['transfer-encoding'] !== undefined) return {};
  if (body !== undefined) return { 'content-type': type, 'content-length': String(body.length) };
  return exchange.method === 'GET' || exchange.method === 'HEAD' ? {} : { 'content-length': '0' };
}

function upgradeHeaders({ upgrade }: Exchange): Record<string, string> {
  if (upgrade === undefined) return {};
  const headers = { connection: 'Upgrade', upgrade };
  if (upgrade !== 'websocket') return headers;
  const handshake = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' };
  return { ...headers, ...handshake, origin: 'http://127.0.0.1' };
}
