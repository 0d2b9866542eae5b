// Consul's servers as the package speaks to them. Every request has a deadline, a token read for it alone, and ends
// when its caller gives up.
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import Consul from 'consul';
import { formatHostPort } from '../entry.ts';
import type { HostPort } from '../entry.ts';
import { readTlsFiles } from '../tls-files.ts';
import type { TlsFiles } from '../tls-files.ts';

export interface ConsulServer {
  /** `host:port`, for messages. */
  readonly name: string;
  readonly client: Consul;
}

export interface ConsulConnection extends TokenSource {
  /** Asked in turn: the next one when one does not answer. */
  readonly servers: readonly [HostPort, ...HostPort[]];
  readonly tls?: TlsFiles;
}

interface TokenSource {
  readonly token?: string | undefined;
  /** Read anew for every request, so that a token can be rotated; wins over `token`. */
  readonly tokenFile?: string | undefined;
}

/** To be spread into the options of a request; the package takes them though its types do not name them all. */
export interface CallOptions {
  readonly token?: string;
  readonly timeout: number;
  readonly ctx: EventEmitter;
}

/** A client for each server. Throws a 400 when a certificate file cannot be read. */
export function connectConsul({ servers, tls }: ConsulConnection): readonly [ConsulServer, ...ConsulServer[]] {
  const material = readTlsFiles(tls ?? {});
  const connect = (server: HostPort): ConsulServer => {
    const { host, port } = server;
    // The package would send an IPv6 address with its brackets to the resolver: the agent's own address wins.
    const address = host.includes(':') ? { host } : {};
    const agent = material ? new HttpsAgent({ ...address, ...material }) : new HttpAgent(address);
    const urlHost = host.includes(':') ? `[${host}]` : host;
    const client = new Consul({ host: urlHost, port, secure: material !== undefined, agent });
    return { name: formatHostPort(server), client };
  };
  const [first, ...others] = servers;
  return [connect(first), ...others.map(connect)];
}

/** Runs one request. Its answer is to be read with `splitAnswer`. Rejects when `signal` aborts. */
export async function callConsul<T>(
  source: TokenSource,
  timeoutMs: number,
  signal: AbortSignal,
  request: (options: CallOptions) => Promise<T>,
): Promise<T> {
  const token = source.tokenFile === undefined ? source.token : (await readFile(source.tokenFile, 'utf8')).trim();
  signal.throwIfAborted();
  // The package ends a request when its `ctx` emits "cancel", and hands the headers out for `includeResponse`.
  const ctx = Object.assign(new EventEmitter(), { includeResponse: true });
  const cancel = (): void => {
    ctx.emit('cancel');
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await request({ ...(token === undefined ? {} : { token }), timeout: timeoutMs, ctx });
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** The HTTP status of a refusal; undefined when the server did not answer at all. */
export function refusalStatus(error: unknown): number | undefined {
  const status: unknown = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** True of a plain refusal (a wrong token), which every server would give. */
export function isRefusal(error: unknown): boolean {
  const status = refusalStatus(error);
  return status !== undefined && status < 500;
}
