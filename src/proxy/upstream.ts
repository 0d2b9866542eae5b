// Where a proxied request goes, and a connection of its own to it. Pooled connections belong to the agent of
// the upstream; a connection opened here is never put back into a pool.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { unavailable } from '../common/errors.ts';

/** Where a proxied request goes. */
export interface Upstream {
  /** For messages. */
  readonly name: string;
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** A unix socket that is used in place of host and port. */
  readonly socketPath?: string;
  /** The keep-alive pool of this engine; with `tls` an https.Agent that carries the same options. It has no limit of sockets, because waits and streams hold theirs for days. */
  readonly agent: http.Agent;
  /** Absent: plain TCP. */
  readonly tls?: tls.ConnectionOptions;
  /** Throws when nothing may be changed there any more; asked before a raw stream is begun. */
  readonly assertMayWrite?: () => void;
}

/** What a connection outside of the pool needs. */
export type Destination = Omit<Upstream, 'agent'>;

const keepAliveDelayMs = 30_000;

/** The value of the Host header for `upstream`. */
export function authority({ host, port, socketPath }: Upstream): string {
  if (socketPath !== undefined) return 'docker';
  return net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Said by every pooled request in the same way, because a pool shares a connection only among requests that agree on it. */
export function verifiesCertificate({ tls: options }: Upstream): boolean {
  return options?.rejectUnauthorized !== false;
}

/** A connected socket that stays open for writing after the engine's FIN. Rejects with 503 when there is none, with the signal's reason when it aborts. */
export function connect(upstream: Destination, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = openSocket(upstream);
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
      act();
    };
    const onAbort = (): void => {
      settle(() => {
        socket.on('error', ignoreError).destroy();
        reject(signal.reason as Error);
      });
    };
    const onError = (cause: Error): void => {
      settle(() => {
        reject(unavailable(upstream.name, cause));
      });
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once(upstream.tls === undefined ? 'connect' : 'secureConnect', () => {
      settle(() => {
        resolve(socket);
      });
    });
  });
}

/** An agent without a pool: its one connection is new, and closed after the answer. */
export function unpooledAgent({ tls: options }: Upstream): http.Agent {
  return options === undefined
    ? new http.Agent({ keepAlive: false })
    : new https.Agent({ ...options, keepAlive: false });
}

function openSocket({ host, port, socketPath, tls: options }: Destination): net.Socket {
  const target = socketPath === undefined ? { host, port } : { path: socketPath };
  const plain = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };
  if (options === undefined) return net.connect({ ...target, ...plain });
  return tls.connect({ ...target, ...plain, ...serverName(host), ...options });
}

/** The name that the certificate must carry; an address is checked by itself and must not be sent as a name. */
function serverName(host: string): { readonly servername?: string } {
  return net.isIP(host) === 0 ? { servername: host } : {};
}

function ignoreError(): void {
  // Nobody waits for this socket any more.
}
