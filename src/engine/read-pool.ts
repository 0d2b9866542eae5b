// The connections on which the mirror is read: small GETs, thousands a second over all engines, so nothing is done
// for them that they do not need. A read takes a connection for itself until its answer is complete.
import net from 'node:net';
import tls from 'node:tls';
import { AnswerParser } from './answer-parser.ts';
import type { RawAnswer } from './answer-parser.ts';
import { DeadlineExceeded } from './deadline.ts';
import type { EngineTls } from './engine-agent.ts';

export interface ReadPoolOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: EngineTls | undefined;
  /** Where bytes are read to before they are parsed; many pools may share it. */
  readonly space?: Buffer | undefined;
}

export interface RawRead {
  /** With the version prefix and the query. */
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** at once: never waits for a connection; in turn: behind the reads that were asked for before. */
  readonly urgency: 'at once' | 'in turn';
}

interface PendingRead {
  readonly read: RawRead;
  readonly resolve: (answer: RawAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** A thousand engines that are read at once should not cost a thousand times as many connections. */
const usualConnections = 3;
/** Reads that an engine leaves unanswered keep their connections; the others then get new ones, up to here. */
const maxConnections = 24;
const stallMs = 500;
export const spaceBytes = 64 * 1024;
const idleMs = 12_000;

export class ReadPool {
  readonly #options: ReadPoolOptions;
  readonly #request: string;
  readonly #connections = new Set<ReadConnection>();
  readonly #idle: ReadConnection[] = [];
  readonly #waiting: PendingRead[] = [];
  readonly #space: Buffer;
  #stall: NodeJS.Timeout | undefined;
  #isDestroyed = false;

  constructor(options: ReadPoolOptions) {
    this.#options = options;
    this.#space = options.space ?? Buffer.allocUnsafeSlow(spaceBytes);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    this.#request = `HTTP/1.1\r\nHost: ${host}:${options.port}\r\nUser-Agent: shoal\r\n\r\n`;
  }

  /**
   * The complete answer of GET `path`, whatever its status. Rejects with DeadlineExceeded, with the signal's reason,
   * or with what ended the connection.
   */
  get(read: RawRead): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      read.signal?.throwIfAborted();
      if (this.#isDestroyed) throw new Error('the connections to the engine are closed');
      this.#begin(this.#bounded({ read, resolve, reject }));
    });
  }

  /** Closes the connections that nobody uses: they may be dead without having said so. */
  dropIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Ends every read. */
  destroy(): void {
    this.#isDestroyed = true;
    clearTimeout(this.#stall);
    const error = new Error('the connections to the engine are closed');
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    for (const connection of [...this.#connections]) connection.destroy(error);
  }

  /** The same read, which also ends at its deadline and when its signal aborts. */
  #bounded({ read, resolve, reject }: PendingRead): PendingRead {
    const { signal, timeoutMs } = read;
    const onAbort = (): void => {
      this.#giveUp(bounded, signal?.reason);
    };
    // Timers run before sockets are read: after a pause of this process the answer may be there already.
    let lastLook: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      lastLook = setImmediate(() => {
        this.#giveUp(bounded, new DeadlineExceeded(timeoutMs));
      });
    }, timeoutMs);
    const over = (): void => {
      clearTimeout(timer);
      clearImmediate(lastLook);
      signal?.removeEventListener('abort', onAbort);
    };
    const bounded: PendingRead = {
      read,
      resolve: (answer) => {
        over();
        resolve(answer);
      },
      reject: (error) => {
        over();
        reject(error);
      },
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    return bounded;
  }

  #giveUp(pending: PendingRead, reason: unknown): void {
    const index = this.#waiting.indexOf(pending);
    if (index !== -1) this.#waiting.splice(index, 1);
    for (const connection of this.#connections) if (connection.current === pending) connection.destroy(reason);
    pending.reject(reason);
  }

  #begin(pending: PendingRead): void {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      idle.send(pending, this.#bytesOf(pending));
      return;
    }
    if (pending.read.urgency === 'at once' || this.#connections.size < usualConnections) {
      this.#open(pending);
      return;
    }
    this.#waiting.push(pending);
    this.#watchForStall();
  }

  #open(pending: PendingRead): void {
    const connection: ReadConnection = new ReadConnection({
      dial: (onBytes) => this.#dial(onBytes),
      onFree: () => {
        this.#serveNext(connection);
      },
      onClosed: () => {
        this.#forget(connection);
      },
    });
    this.#connections.add(connection);
    connection.send(pending, this.#bytesOf(pending));
  }

  #serveNext(connection: ReadConnection): void {
    this.#stall?.refresh();
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else connection.send(next, this.#bytesOf(next));
  }

  #forget(connection: ReadConnection): void {
    this.#connections.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    if (this.#isDestroyed || this.#connections.size >= usualConnections) return;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#open(next);
  }

  #watchForStall(): void {
    this.#stall ??= setTimeout(() => {
      this.#stall = undefined;
      if (this.#connections.size < maxConnections) {
        const next = this.#waiting.shift();
        if (next !== undefined) this.#open(next);
      }
      if (this.#waiting.length > 0) this.#watchForStall();
    }, stallMs);
  }

  #dial(onBytes: (bytes: Buffer) => void): net.Socket {
    const { host, port, tls: identity } = this.#options;
    if (identity === undefined) return net.connect({ host, port, noDelay: true, onread: this.#readInto(onBytes) });
    const socket = tls.connect({ ...identity, host, port, servername: net.isIP(host) === 0 ? host : '' });
    return socket.on('data', onBytes);
  }

  /** What a connection brings is used up at once, so all of them write to the same place. */
  #readInto(onBytes: (bytes: Buffer) => void): net.OnReadOpts {
    return {
      buffer: () => this.#space,
      callback: (length) => {
        onBytes(this.#space.subarray(0, length));
        return true;
      },
    };
  }

  #bytesOf({ read }: PendingRead): string {
    return `GET ${read.path} ${this.#request}`;
  }
}

interface ConnectionOptions {
  /** Connects; every arrival of bytes is told, and they are gone when `onBytes` has returned. */
  readonly dial: (onBytes: (bytes: Buffer) => void) => net.Socket;
  readonly onFree: () => void;
  readonly onClosed: () => void;
}

class ReadConnection {
  current: PendingRead | undefined;
  readonly #socket: net.Socket;
  readonly #parser = new AnswerParser();
  readonly #onFree: () => void;
  #error: unknown;

  constructor({ dial, onFree, onClosed }: ConnectionOptions) {
    const socket = dial((bytes) => {
      this.#receive(bytes);
    });
    this.#socket = socket;
    this.#onFree = onFree;
    socket.setTimeout(idleMs);
    socket.on('timeout', () => {
      if (this.current === undefined) socket.destroy();
    });
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.once('close', () => {
      const answer = this.#parser.end();
      const { current } = this;
      this.current = undefined;
      onClosed();
      if (answer !== undefined && this.#error === undefined) current?.resolve(answer);
      else current?.reject(this.#error ?? new Error('the connection was closed before the answer was complete'));
    });
  }

  send(pending: PendingRead, bytes: string): void {
    this.current = pending;
    this.#socket.write(bytes, 'latin1');
  }

  destroy(reason?: unknown): void {
    this.#error ??= reason;
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    const { current } = this;
    try {
      const answer = this.#parser.push(bytes);
      if (answer === undefined) return;
      if (current === undefined) throw new Error('the engine answered without being asked');
      this.current = undefined;
      current.resolve(answer);
      if (answer.keepsAlive) this.#onFree();
      else this.#socket.destroy();
    } catch (error) {
      this.destroy(error);
    }
  }
}
