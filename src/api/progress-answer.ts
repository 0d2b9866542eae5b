// An answer that is a stream of JSON objects, one a line. Its status is open until the first object, so that a call
// that fails at once still gets a real error; a client that reads slowly slows down whoever writes.
import type { ServerResponse } from 'node:http';
import { withResolvers } from '../common/abort.ts';
import { progressError } from './errors.ts';

export class ProgressAnswer {
  readonly #res: ServerResponse;
  #drained: Promise<void> | undefined;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  /** Whether the client has got its status. */
  get isOpen(): boolean {
    return this.#res.headersSent;
  }

  /** Resolves when there is room for more; rejects when the client has left. */
  async write(line: unknown): Promise<void> {
    await this.#writeText(`${JSON.stringify(line)}\r\n`);
  }

  /** The object by which clients know that the call has failed. */
  async writeError(code: number, message: string): Promise<void> {
    await this.#writeText(progressError(code, message));
  }

  end(): void {
    this.#open();
    this.#res.end();
  }

  #open(): void {
    if (!this.#res.headersSent) this.#res.writeHead(200, { 'Content-Type': 'application/json' });
  }

  async #writeText(text: string): Promise<void> {
    if (this.#res.destroyed || this.#res.writableEnded) throw new Error('the client has left');
    this.#open();
    if (this.#res.write(text)) return;
    this.#drained ??= this.#drain();
    await this.#drained;
  }

  async #drain(): Promise<void> {
    const { promise, resolve } = withResolvers<undefined>();
    const onReady = (): void => {
      resolve(undefined);
    };
    this.#res.once('drain', onReady).once('close', onReady);
    await promise;
    this.#res.removeListener('drain', onReady).removeListener('close', onReady);
    this.#drained = undefined;
  }
}
