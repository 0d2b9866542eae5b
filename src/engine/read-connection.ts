// One connection on which an engine is read. It does one errand at a time: requests that are written at once, and as
// many answers, which come in the order of the requests.
import type net from 'node:net';
import { AnswerParser } from './answer-parser.ts';
import type { RawAnswer } from './answer-parser.ts';

export interface Errand {
  /** The bytes of the requests; called when they are about to be written. */
  readonly begin: () => string;
  /** Takes the next answer; true when it was the last one. */
  readonly take: (answer: RawAnswer) => boolean;
  /** The connection ended before the last answer. */
  readonly fail: (error: unknown) => void;
}

export interface ConnectionOptions {
  /** Connects; every arrival of bytes is told, and they are gone when `onBytes` has returned. */
  readonly dial: (onBytes: (bytes: Buffer) => void) => net.Socket;
  /** The errand is done and the connection can do another. */
  readonly onFree: () => void;
  readonly onClosed: () => void;
}

const idleMs = 12_000;

export class ReadConnection {
  readonly #socket: net.Socket;
  readonly #parser = new AnswerParser();
  readonly #onFree: () => void;
  #errand: Errand | undefined;
  #keepsAlive = true;
  #error: unknown;

  constructor({ dial, onFree, onClosed }: ConnectionOptions) {
    const socket = dial((bytes) => {
      this.#receive(bytes);
    });
    this.#socket = socket;
    this.#onFree = onFree;
    socket.setTimeout(idleMs);
    socket.on('timeout', () => {
      if (this.#errand === undefined) socket.destroy();
    });
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.once('close', () => {
      onClosed();
      this.#end();
    });
  }

  get errand(): Errand | undefined {
    return this.#errand;
  }

  send(errand: Errand): void {
    this.#errand = errand;
    this.#socket.write(errand.begin(), 'latin1');
  }

  destroy(reason?: unknown): void {
    this.#error ??= reason;
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    try {
      this.#parser.push(bytes, (answer) => {
        this.#take(answer);
      });
    } catch (error) {
      this.destroy(error);
      return;
    }
    if (this.#errand !== undefined && this.#keepsAlive) return;
    // The rest of an answer that nobody asked for would be taken for the next one.
    if (!this.#keepsAlive || this.#parser.isWithinAnswer) this.#socket.destroy();
    else this.#onFree();
  }

  #take(answer: RawAnswer): void {
    const errand = this.#errand;
    if (errand === undefined) throw new Error('the engine answered without being asked');
    this.#keepsAlive = answer.keepsAlive;
    if (errand.take(answer)) this.#errand = undefined;
  }

  #end(): void {
    const last = this.#error === undefined ? this.#parser.end() : undefined;
    if (last !== undefined && this.#errand?.take(last) === true) this.#errand = undefined;
    this.#errand?.fail(this.#error ?? new Error('the connection was closed before the answer was complete'));
    this.#errand = undefined;
  }
}
