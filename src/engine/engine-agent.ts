// The pool of connections to one engine, shared by our own calls and by proxied requests. Where there are several
// managers a change passes it only as long as this one may write, and only over a connection that is new or was answered
// on just now: what is sent into a network that is cut the kernel sends again when it is whole, even for a process that
// is dead by then.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureVersion } from 'node:tls';
import { inspect } from 'node:util';
import { isChange, type AssertMayWrite } from './write-permit.ts';

/** PEM texts with which the manager meets engines over TLS. Read at each new connection: they may be renewed. */
export interface EngineTls {
  readonly ca: Buffer | string;
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
  /** False accepts any certificate of an engine. */
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: SecureVersion;
}

const maxIdleConnections = 32;
/** Of a connection for changes. Long enough for calls in a row, which then need no further handshake. */
const freshMs = 50;

type OnSocket = (error: Error | null, socket: Duplex) => void;

// The Docker client prints its request options with unlimited depth on every call, debugging or not:
// a pool full of sockets would cost milliseconds a call, so pools print as one word.
class PlainPool extends http.Agent {
  readonly #assertMayWrite: AssertMayWrite | undefined;

  constructor(options: http.AgentOptions, assertMayWrite: AssertMayWrite | undefined) {
    super(options);
    this.#assertMayWrite = assertMayWrite;
  }

  override createConnection(options: http.ClientRequestArgs, onSocket?: OnSocket): Duplex | null | undefined {
    return guarded(super.createConnection(options, onSocket), options.method, 'connect', this.#assertMayWrite);
  }

  override getName(options?: http.ClientRequestArgs): string {
    return `${super.getName(options)}${this.#assertMayWrite === undefined ? '' : poolOf(options)}`;
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    super.reuseSocket(socket, request);
    guardReuse(socket, request, this.#assertMayWrite);
  }

  [inspect.custom](): string {
    return 'EnginePool';
  }
}

class TlsPool extends https.Agent {
  readonly #tls: EngineTls;
  readonly #assertMayWrite: AssertMayWrite | undefined;

  constructor(options: https.AgentOptions, tls: EngineTls, assertMayWrite: AssertMayWrite | undefined) {
    // A session that is taken up again would carry the certificate of before.
    super({ ...options, maxCachedSessions: 0 });
    this.#tls = tls;
    this.#assertMayWrite = assertMayWrite;
  }

  override createConnection(options: https.RequestOptions, onSocket?: OnSocket): Duplex | null | undefined {
    const socket = super.createConnection({ ...options, ...this.#tls }, onSocket);
    return guarded(socket, options.method, 'secureConnect', this.#assertMayWrite);
  }

  override getName(options?: https.RequestOptions): string {
    return `${super.getName(options)}${this.#assertMayWrite === undefined ? '' : poolOf(options)}`;
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    super.reuseSocket(socket, request);
    guardReuse(socket, request, this.#assertMayWrite);
  }

  [inspect.custom](): string {
    return 'EnginePool';
  }
}

/**
 * A keep-alive pool; `destroy()` closes all of its connections. A change that may not be made fails with what
 * `assertMayWrite` throws; undefined: nobody else makes any.
 */
export function createEngineAgent(tls: EngineTls | undefined, assertMayWrite: AssertMayWrite | undefined): http.Agent {
  const options = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: maxIdleConnections };
  const pool = tls === undefined ? new PlainPool(options, assertMayWrite) : new TlsPool(options, tls, assertMayWrite);
  if (assertMayWrite === undefined) return pool;
  // The pool closes an idle connection when this time is over; the next request that takes one stops its clock.
  pool.on('free', (socket: net.Socket, { method }: http.ClientRequestArgs) => {
    if (isChange(method ?? 'GET')) socket.setTimeout(freshMs);
  });
  return pool;
}

/** Connections for changes are kept apart. */
function poolOf(options: Pick<http.ClientRequestArgs, 'method'> | undefined): string {
  return isChange(options?.method ?? 'GET') ? ':change' : '';
}

/** The request waits in the socket until there is a connection, which may take any time: this is the last moment before it leaves. */
function guarded(
  socket: Duplex | null | undefined,
  method: string | null | undefined,
  connected: 'connect' | 'secureConnect',
  assertMayWrite: AssertMayWrite | undefined,
): Duplex | null | undefined {
  if (assertMayWrite === undefined || !isChange(method ?? 'GET')) return socket;
  socket?.once(connected, () => {
    const refusal = refusalOf(assertMayWrite);
    if (refusal !== undefined) socket.destroy(refusal);
  });
  return socket;
}

function guardReuse(socket: Duplex, request: http.ClientRequest, assertMayWrite: AssertMayWrite | undefined): void {
  if (assertMayWrite === undefined || !isChange(request.method)) return;
  if (socket instanceof net.Socket) socket.setTimeout(0);
  const refusal = refusalOf(assertMayWrite);
  if (refusal !== undefined) request.destroy(refusal);
}

function refusalOf(assertMayWrite: AssertMayWrite): Error | undefined {
  try {
    assertMayWrite();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
