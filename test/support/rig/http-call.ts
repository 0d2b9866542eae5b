// One HTTP request on a connection of its own, answered whole. For streams, tests open their own.
import { createReadStream } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { request as secureRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Deadline } from '../../../src/common/deadline.ts';
import { readIdentity, type Identity } from './certificates.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown;
}

export interface HttpCall {
  readonly method: string;
  /** "http://HOST:PORT/path", or https. */
  readonly url: string;
  /** A unix socket that is asked in place of the host of `url`. */
  readonly socketPath?: string | undefined;
  /** Of an https call. */
  readonly tls?: Identity | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Path of a file to send instead of a body. */
  readonly file?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined;
}

/** An engine or a manager. */
export interface Peer {
  /** "HOST:PORT" */
  readonly address: string;
  /** With what it is asked where it speaks TLS. */
  readonly tls?: Identity | undefined;
}

export function urlOf({ address, tls }: Peer, path: string): string {
  return `${tls ? 'https' : 'http'}://${address}${path}`;
}

export async function httpCall({
  method,
  url,
  socketPath,
  tls,
  body,
  file,
  headers = {},
  timeoutMs = 60_000,
  signal: givenUp,
}: HttpCall): Promise<HttpAnswer> {
  const deadline = new Deadline(timeoutMs, givenUp === undefined ? [] : [givenUp]);
  const type = file === undefined ? 'application/json' : 'application/x-tar';
  const open = tls === undefined ? request : secureRequest;
  const outgoing = open(url, {
    ...(tls && readIdentity(tls)),
    ...(socketPath !== undefined && { socketPath }),
    method,
    agent: false,
    signal: deadline.signal,
    headers: { ...(body === undefined && file === undefined ? {} : { 'content-type': type }), ...headers },
  });
  const answered = new Promise<HttpAnswer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: parsed(text) });
      });
    });
  });
  // An answer that comes before the whole file was sent makes the sending fail; the answer says why.
  if (file === undefined) outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  else pipeline(createReadStream(file), outgoing).catch(() => undefined);
  return await answered.finally(() => {
    deadline.clear();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
