// The connections on which the mirror is read: small GETs, thousands a second over all engines, so nothing is done
// for them that they do not need. A read takes a connection for itself until its answer is complete; many reads of one
// kind share one, each answer behind the other.
import net from 'node:net';
import tls from 'node:tls';
import { withResolvers } from '../common/abort.ts';
import type { RawAnswer } from './answer-parser.ts';
import { DeadlineExceeded } from '../common/deadline.ts';
import type { EngineTls } from './engine-agent.ts';
import { ReadConnection } from './read-connection.ts';
import type { Errand } from './read-connection.ts';

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

export interface ReadAnswer {
  readonly status: number;
  readonly contentType: string;
  /** As in `RawAnswer`. */
  readonly swarm: string;
  readonly text: string;
}

export interface RawReads {
  /** As of a single read. */
  readonly paths: readonly string[];
  /** The reads end when the answer to the path at `index` does not come for so long. */
  readonly patienceMs: (index: number) => number;
  readonly signal?: AbortSignal | undefined;
  /** Called with each answer, in the order of `paths`; its body is good during the call. */
  readonly onAnswer: (answer: RawAnswer, index: number) => void;
}

/** A thousand engines that are read at once should not cost a thousand times as many connections. */
const usualConnections = 3;
/** Reads that an engine leaves unanswered keep their connections; the others then get new ones, up to here. */
const maxConnections = 24;
const stallMs = 500;
export const spaceBytes = 64 * 1024;

export class ReadPool {
  readonly #options: ReadPoolOptions;
  readonly #request: string;
  readonly #connections = new Set<ReadConnection>();
  readonly #idle: ReadConnection[] = [];
  readonly #waiting: Errand[] = [];
  readonly #space: Buffer;
  #stall: NodeJS.Timeout | undefined;
  #isDestroyed = false;

  constructor(options: ReadPoolOptions) {
    this.#options = options;
    this.#space = options.space ?? Buffer.allocUnsafeSlow(spaceBytes);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    this.#request = ` HTTP/1.1\r\nHost: ${host}:${options.port}\r\nUser-Agent: shoal\r\n\r\n`;
  }

  /**
   * The complete answer of GET `path`, whatever its status. Rejects with DeadlineExceeded, with the signal's reason,
   * or with what ended the connection.
   */
  async get({ path, timeoutMs, signal, urgency }: RawRead): Promise<ReadAnswer> {
    this.#assertOpen(signal);
    const { promise, resolve, reject } = withResolvers<ReadAnswer>();
    const bounds = this.#bound(timeoutMs, signal, () => errand);
    const errand: Errand = {
      begin: () => this.#bytesOf(path),
      take: ({ status, contentType, swarm, body }) => {
        bounds.remove();
        resolve({ status, contentType, swarm, text: body.toString('utf8') });
        return true;
      },
      fail: (error) => {
        bounds.remove();
        reject(error);
      },
    };
    this.#begin(errand, urgency);
    return await promise;
  }

  /**
   * Asks for all of `paths` on one connection without waiting for an answer before the next question. Resolves with
   * how many were answered: fewer than all when the connection ended, the engine would not keep it, or patience did.
   */
  async getInOrder({ paths, patienceMs, signal, onAnswer }: RawReads): Promise<number> {
    this.#assertOpen(signal);
    const { promise, resolve } = withResolvers<undefined>();
    let answered = 0;
    let bounds: Bounds | undefined;
    const end = (): void => {
      bounds?.remove();
      resolve(undefined);
    };
    const errand: Errand = {
      begin: () => {
        bounds = this.#bound(patienceMs(0), signal, () => errand);
        return paths.map((path) => this.#bytesOf(path)).join('');
      },
      take: (answer) => {
        onAnswer(answer, answered);
        answered += 1;
        if (answered < paths.length) {
          bounds?.extend(patienceMs(answered));
          return false;
        }
        end();
        return true;
      },
      fail: end,
    };
    this.#begin(errand, 'in turn');
    await promise;
    return answered;
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
    for (const { fail } of this.#waiting.splice(0)) fail(error);
    for (const connection of [...this.#connections]) connection.destroy(error);
  }

  #assertOpen(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#isDestroyed) throw new Error('the connections to the engine are closed');
  }

  /** The errand ends when `ms` have passed since the last sign of life, and when `signal` aborts. */
  #bound(ms: number, signal: AbortSignal | undefined, errand: () => Errand): Bounds {
    const onAbort = (): void => {
      this.#giveUp(errand(), signal?.reason);
    };
    // Timers run before sockets are read: after a pause of this process the answer may be there already.
    let lastLook: NodeJS.Immediate | undefined;
    let patienceMs = ms;
    const onTime = (): void => {
      lastLook = setImmediate(() => {
        this.#giveUp(errand(), new DeadlineExceeded(patienceMs));
      });
    };
    let timer = setTimeout(onTime, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
    return {
      extend: (nextMs) => {
        clearImmediate(lastLook);
        if (nextMs === patienceMs) {
          timer.refresh();
          return;
        }
        clearTimeout(timer);
        patienceMs = nextMs;
        timer = setTimeout(onTime, nextMs);
      },
      remove: () => {
        clearTimeout(timer);
        clearImmediate(lastLook);
        signal?.removeEventListener('abort', onAbort);
      },
    };
  }

  #giveUp(errand: Errand, reason: unknown): void {
    const index = this.#waiting.indexOf(errand);
    if (index !== -1) this.#waiting.splice(index, 1);
    for (const connection of this.#connections) if (connection.errand === errand) connection.destroy(reason);
    errand.fail(reason);
  }

  #begin(errand: Errand, urgency: RawRead['urgency']): void {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      idle.send(errand);
      return;
    }
    if (urgency === 'at once' || this.#connections.size < usualConnections) {
      this.#open(errand);
      return;
    }
    this.#waiting.push(errand);
    this.#watchForStall();
  }

  #open(errand: Errand): void {
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
    connection.send(errand);
  }

  #serveNext(connection: ReadConnection): void {
    this.#stall?.refresh();
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else connection.send(next);
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

  #bytesOf(path: string): string {
    return `GET ${path}${this.#request}`;
  }
}

interface Bounds {
  /** Another so many milliseconds from now on. */
  readonly extend: (ms: number) => void;
  readonly remove: () => void;
}
