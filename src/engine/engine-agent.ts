// The pool of connections to one engine, shared by our own calls and by proxied requests.
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureVersion } from 'node:tls';
import { inspect } from 'node:util';

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

// The Docker client prints its request options with unlimited depth on every call, debugging or not:
// a pool full of sockets would cost milliseconds a call, so pools print as one word.
class PlainPool extends http.Agent {
  [inspect.custom](): string {
    return 'EnginePool';
  }
}

class TlsPool extends https.Agent {
  readonly #tls: EngineTls;

  constructor(options: https.AgentOptions, tls: EngineTls) {
    // A session that is taken up again would carry the certificate of before.
    super({ ...options, maxCachedSessions: 0 });
    this.#tls = tls;
  }

  override createConnection(
    ...[options, callback]: Parameters<https.Agent['createConnection']>
  ): Duplex | null | undefined {
    return super.createConnection({ ...options, ...this.#tls }, callback);
  }

  [inspect.custom](): string {
    return 'EnginePool';
  }
}

/** A keep-alive pool; `destroy()` closes all of its connections. */
export function createEngineAgent(tls: EngineTls | undefined): http.Agent {
  const options = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: maxIdleConnections };
  return tls === undefined ? new PlainPool(options) : new TlsPool(options, tls);
}
