// The API server: http(s) servers around one Express shell, the upgrade entry point, and an orderly end. It
// knows every connection and every call under way, so that `stop` leaves none behind.
import { constants } from 'node:crypto';
import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import express from 'express';
import type { Rules } from '../authorization/rules.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { isCertified, mutualTls, refuseUncertified } from '../proxy/certified.ts';
import { rawStreamRequests } from '../proxy/raw-stream-request.ts';
import { ApiError } from '../common/errors.ts';
import { answerClientError, logRefusedClient, refusedClient } from './client-error.ts';
import type { Audit } from './audit.ts';
import { Connections } from './connections.ts';
import { Entry } from './entry.ts';
import { answerError } from './errors.ts';
import { bind } from './listen-address.ts';
import type { ListenAddress, TlsIdentity } from './listen-address.ts';
import type { Replica } from './replica.ts';
import { RequestRate } from './request-rate.ts';
import type { Route } from './route.ts';
import { routes as allRoutes } from './routes.ts';
import type { ApiSettings } from './settings.ts';

export interface ApiServerOptions {
  readonly cluster: Cluster;
  readonly settings: ApiSettings;
  readonly logger: Logger;
  /** With it tcp listeners speak TLS. */
  readonly tls?: TlsIdentity;
  /** Who may do what, at the moment; everybody everything by default. */
  readonly rules?: (() => Rules) | undefined;
  /** Where calls that change something are recorded. */
  readonly audit?: Audit | undefined;
  /** Looks at a request before the API does; true when it has taken the answer over. */
  readonly intercept?: (req: IncomingMessage, res: ServerResponse) => boolean;
  /** The table to serve; the whole API by default. */
  readonly routes?: readonly Route[];
  /** Of one address; 2,000 by default. */
  readonly maxConnectionsPerClient?: number;
  /** Of one address; without a limit by default. */
  readonly maxRequestsPerSecond?: number | undefined;
  /** Within this time the head of a request must be complete; a minute by default. */
  readonly headTimeoutMs?: number;
  /** How long requests wait at start for the engines to be known; 10 s by default. */
  readonly warmUpMs?: number;
  /** Passes calls on while another manager is the primary; absent: this manager stands alone. */
  readonly replica?: Replica | undefined;
}

/** How long answers under way may take to end by themselves, and then to end after they were told to. */
const graceMs = 2_000;
/** A log must not be filled by strangers. */
const maxReportedCrowds = 1_000;

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #entry: Entry;
  readonly #shell: express.Express;
  readonly #servers: http.Server[] = [];
  readonly #connections: Connections;
  readonly #crowds = new Set<string>();
  readonly #tasks: TaskSet;
  #stopping: Promise<void> | undefined;

  constructor(options: ApiServerOptions) {
    const { cluster, settings, logger, rules, audit, routes = allRoutes, warmUpMs = 10_000, replica } = options;
    const { maxRequestsPerSecond } = options;
    const rate = maxRequestsPerSecond === undefined ? undefined : new RequestRate(maxRequestsPerSecond);
    this.#options = options;
    this.#connections = new Connections(options.maxConnectionsPerClient ?? 2_000);
    this.#entry = new Entry({ cluster, settings, logger, routes, warmUpMs, rules, audit, rate, replica });
    this.#tasks = new TaskSet(logger);
    this.#shell = this.#createShell();
  }

  /** Starts to accept on `address`; resolves with the address as bound (the port that 0 became). Rejects when it cannot. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    const server = this.#createServer(address);
    const bound = await bind(server, address);
    this.#servers.push(server);
    server.on('error', (error) => {
      this.#options.logger.error('a listener failed', { error });
    });
    return bound;
  }

  /** New connections are met with `tls` from now on; those that exist go on. */
  useIdentity(tls: TlsIdentity): void {
    for (const server of this.#servers) if (server instanceof https.Server) server.setSecureContext(secureContext(tls));
  }

  /** Resolves when no call under way changes anything any more, at the latest after `withinMs`. */
  changesOver(withinMs: number): Promise<void> {
    return this.#entry.changesOver(withinMs);
  }

  /**
   * Stops accepting, lets answers under way end, ends streams, and closes every connection, all within 10 s.
   * May be called more than once.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    this.#closeIdle();
    if (!(await this.#connections.closed(graceMs))) {
      this.#entry.endCalls();
      if (!(await this.#connections.closed(graceMs))) this.#connections.destroyAll();
    }
    this.#options.replica?.stop();
    await Promise.all([this.#entry.stop(), this.#tasks.stop()]);
  }

  #createShell(): express.Express {
    const shell = express();
    shell.disable('x-powered-by');
    shell.disable('etag');
    shell.use(async (req, res) => {
      res.once('close', () => {
        // Node counts the connection among the idle ones a moment later.
        if (this.#stopping)
          setImmediate(() => {
            this.#closeIdle();
          });
      });
      if (this.#options.intercept?.(req, res) === true) return;
      await this.#entry.serve(req, res);
    });
    return shell;
  }

  #createServer(address: ListenAddress): http.Server {
    const { tls, logger } = this.#options;
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      // Its target is no path, which the shell would answer with a page of its own.
      if (req.method === 'CONNECT') answerError(res, new ApiError(404, 'page not found'), logger);
      else this.#shell(req, res);
    };
    const server =
      tls === undefined || address.kind === 'unix'
        ? http.createServer(this.#serverOptions(), listener)
        : this.#createSecureServer(tls, listener);
    server.maxConnections = 20_000;
    server.on('connection', (socket: Socket) => {
      if (!this.#connections.add(socket)) this.#refuseCrowd(socket);
    });
    server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
      answerError(res, new ApiError(417, 'only 100-continue can be expected'), logger);
    });
    server.on('upgrade', (req, socket, head) => {
      this.#takeOver(req, socket, head);
    });
    server.on('clientError', answerClientError);
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      logRefusedClient(error, socket, this.#options.logger);
    });
    return server;
  }

  #createSecureServer(tls: TlsIdentity, listener: http.RequestListener): https.Server {
    const server = https.createServer({ ...this.#serverOptions(), ...tlsOptions(tls) }, listener);
    if (tls.clientCa === undefined) return server;
    // No connection gets as far as HTTP whose client has not shown its certificate.
    const serve = server.listeners('secureConnection');
    server.removeAllListeners('secureConnection');
    server.on('secureConnection', (socket: TLSSocket) => {
      if (isCertified(socket)) for (const each of serve) Reflect.apply(each, server, [socket]);
      else refuseUncertified(socket, refusedClient, this.#options.logger);
    });
    return server;
  }

  #serverOptions(): http.ServerOptions {
    const { headTimeoutMs = 60_000 } = this.#options;
    return {
      IncomingMessage: rawStreamRequests(
        (method, url) => this.#entry.isRawStream(method, url),
        (method, url) => this.#entry.mayUpgrade(method, url),
      ),
      // Query strings and X-Registry-Config of 20 KB and more are normal.
      maxHeaderSize: 1024 * 1024,
      requireHostHeader: false,
      // Uploads and waits last as long as they last; only a head must come in time.
      requestTimeout: 0,
      headersTimeout: headTimeoutMs,
      connectionsCheckingInterval: Math.min(headTimeoutMs / 2, 5_000),
      // Longer than clients keep idle connections, so that none is closed under a request.
      keepAliveTimeout: 300_000,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      noDelay: true,
    };
  }

  /** Without a word: whoever holds so many is not to cost an answer. It is reported once. */
  #refuseCrowd(socket: Socket): void {
    const { remoteAddress = 'unknown' } = socket;
    socket.destroy();
    if (this.#crowds.has(remoteAddress) || this.#crowds.size >= maxReportedCrowds) return;
    this.#crowds.add(remoteAddress);
    this.#options.logger.warn('a client holds as many connections as it may', { client: remoteAddress });
  }

  #takeOver(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    this.#tasks.spawn('raw stream', () => this.#entry.serveTaken({ req, socket, head }));
  }

  #closeIdle(): void {
    for (const server of this.#servers) server.closeIdleConnections();
  }
}

/** Stock clients take no session up again, and what is kept for it is a fifth of what an idle connection needs. */
const secureOptions = constants.SSL_OP_NO_TICKET;

/** `allowHalfOpen`: TLS connections would otherwise close for writing when the client ends its input. */
function tlsOptions(tls: TlsIdentity): https.ServerOptions {
  return {
    ...secureContext(tls),
    ...(tls.clientCa !== undefined && mutualTls),
    ALPNProtocols: ['http/1.1'],
    allowHalfOpen: true,
    handshakeTimeout: 20_000,
  };
}

function secureContext({ cert, key, clientCa }: TlsIdentity): SecureContextOptions {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }), minVersion: 'TLSv1.2', secureOptions };
}
