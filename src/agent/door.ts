// The engine's door: joins every connection of a manager with one of its own to the engine's socket, byte by byte, so
// that whatever the engine speaks passes as it is. It reads nothing of it, and lets nobody in whom TLS does not let in.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { Deadline } from '../common/deadline.ts';
import { errorMessage } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { handshakeRefusal } from '../common/handshake-refusal.ts';
import { isCertified, mutualTls, refuseUncertified } from '../proxy/certified.ts';
import { pipeBothWays } from '../proxy/pipe-both-ways.ts';
import { answerRaw } from '../proxy/raw-answer.ts';
import { connect } from '../proxy/upstream.ts';
import type { EnginePlace } from './engine-probe.ts';

export interface DoorOptions {
  readonly engine: EnginePlace;
  /** Absent: everybody who reaches the door is let in. */
  readonly tls?: DoorIdentity;
  readonly logger: Logger;
}

/** PEM texts. With `clientCa`, managers must show a certificate that it signed. */
export interface DoorIdentity {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly clientCa?: string | Buffer;
}

export interface DoorAddress {
  readonly host: string;
  readonly port: number;
}

/** Whoever connects, or has shaken hands, must say something within this time. */
const firstWordMs = 60_000;
const handshakeTimeoutMs = 10_000;
const connectTimeoutMs = 5_000;
const keepAliveDelayMs = 30_000;
const maxConnections = 20_000;
const refusedManager = 'a manager failed the TLS handshake';

export class Door {
  readonly #options: DoorOptions;
  readonly #server: net.Server;
  readonly #tasks: TaskSet;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#tasks = new TaskSet(options.logger);
    this.#server = this.#createServer();
    this.#server.maxConnections = maxConnections;
  }

  /** Opens the door; resolves with the address as bound (the port that 0 became). Rejects when it cannot be. */
  async listen(address: DoorAddress): Promise<DoorAddress> {
    const bound = once(this.#server, 'listening');
    this.#server.listen({ host: address.host, port: address.port });
    await bound;
    this.#server.on('error', (error) => {
      this.#options.logger.error('the door of the engine failed', { error });
    });
    const found = this.#server.address();
    return typeof found === 'object' && found !== null ? { ...address, port: found.port } : address;
  }

  /** New connections are met with `identity` from now on; those that exist go on. */
  useIdentity(identity: DoorIdentity): void {
    if (this.#server instanceof tls.Server) this.#server.setSecureContext(secureContext(identity));
  }

  /** Closes the door and breaks every connection through it. May be called more than once. */
  async stop(): Promise<void> {
    this.#server.close();
    await this.#tasks.stop();
  }

  #createServer(): net.Server {
    const socketOptions = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelayMs,
    };
    const serve = (socket: net.Socket): void => {
      // Before the first word nobody else listens for its errors.
      socket.on('error', () => socket.destroy());
      this.#tasks.spawn('a connection to the engine', (signal) => this.#serve(socket, signal));
    };
    const identity = this.#options.tls;
    if (identity === undefined) return net.createServer(socketOptions, serve);
    const server = tls.createServer({ ...socketOptions, ...tlsOptions(identity) }, (socket) => {
      if (identity.clientCa === undefined || isCertified(socket)) serve(socket);
      else refuseUncertified(socket, refusedManager, this.#options.logger);
    });
    server.on('connection', (socket: net.Socket) => {
      this.#endWithDoor(socket);
    });
    server.on('tlsClientError', (error: Error, socket: tls.TLSSocket) => {
      this.#reportRefused(error, socket);
    });
    return server;
  }

  /** A handshake that is under way is nobody's task yet. */
  #endWithDoor(socket: net.Socket): void {
    // Asking now keeps it for the report of a handshake that fails.
    if (socket.remoteAddress === undefined) return;
    const { signal } = this.#tasks;
    const end = (): void => {
      socket.destroy();
    };
    signal.addEventListener('abort', end, { once: true });
    socket.once('close', () => {
      signal.removeEventListener('abort', end);
    });
  }

  async #serve(client: net.Socket, signal: AbortSignal): Promise<void> {
    if (!(await hasSpoken(client, signal))) return;
    try {
      const engine = await this.#reachEngine(signal);
      await pipeBothWays(client, engine, signal);
    } catch (error) {
      if (signal.aborted) client.destroy();
      else this.#refuse(client, error);
    }
  }

  async #reachEngine(signal: AbortSignal): Promise<net.Socket> {
    const { engine } = this.#options;
    const target = 'socketPath' in engine ? { host: 'localhost', port: 0, ...engine } : engine;
    const deadline = new Deadline(connectTimeoutMs, [signal]);
    try {
      return await connect({ name: 'of the agent', ...target }, deadline.signal);
    } finally {
      deadline.clear();
    }
  }

  /** In HTTP, which every client of an engine understands. */
  #refuse(client: net.Socket, error: unknown): void {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const message = `the agent does not reach its engine: ${errorMessage(cause)}`;
    this.#options.logger.debug('a connection finds no engine', { error: message });
    answerRaw(client, {
      statusCode: 503,
      rawHeaders: ['Content-Type', 'application/json'],
      body: `${JSON.stringify({ message })}\n`,
    });
  }

  #reportRefused(error: Error, socket: tls.TLSSocket): void {
    const refusal = handshakeRefusal(error, socket);
    if (refusal !== undefined) this.#options.logger.warn(refusedManager, { ...refusal });
  }
}

/** `allowHalfOpen`, above, holds for TLS too: a client that ends its input still reads its output. */
function tlsOptions(identity: DoorIdentity): tls.TlsOptions {
  return {
    ...secureContext(identity),
    ...(identity.clientCa !== undefined && mutualTls),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
  };
}

function secureContext({ cert, key, clientCa }: DoorIdentity): tls.SecureContextOptions {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }), minVersion: 'TLSv1.2' };
}

/**
 * True as soon as `client` has sent a byte, which stays unread; false, and the connection is gone, when it left or was silent for
 * too long. A connection that is only held open costs the engine nothing.
 */
function hasSpoken(client: net.Socket, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (): void => {
      const speaks = client.readableLength > 0;
      client.setTimeout(0);
      client.removeListener('timeout', settle);
      client.removeListener('readable', settle);
      client.removeListener('close', settle);
      signal.removeEventListener('abort', settle);
      if (!speaks) client.destroy();
      resolve(speaks);
    };
    client.setTimeout(firstWordMs);
    client.once('timeout', settle);
    client.once('readable', settle);
    client.once('close', settle);
    signal.addEventListener('abort', settle, { once: true });
    if (signal.aborted) settle();
  });
}
