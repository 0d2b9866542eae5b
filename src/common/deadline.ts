// A signal that ends one call: at its deadline, or when one of the callers' signals aborts. Made by hand because
// AbortSignal.any on a signal that lives as long as the process keeps growing with every call, and because in Node 20 it
// holds AbortSignal.timeout so weakly that the timeout never comes once garbage was collected.
import { setMaxListeners } from 'node:events';
import { aborted } from './abort.ts';

export class DeadlineExceeded extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'DeadlineExceeded';
  }
}

export class Deadline {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => {
    const source = this.#sources.find((signal) => signal.aborted);
    this.#controller.abort(source?.reason);
  };

  constructor(timeoutMs: number, sources: readonly AbortSignal[]) {
    this.#sources = sources;
    this.#timer = setTimeout(() => {
      this.#controller.abort(new DeadlineExceeded(timeoutMs));
    }, timeoutMs);
    // Many calls at once share a signal; that is no leak.
    setMaxListeners(0, this.#controller.signal, ...sources);
    for (const source of sources) source.addEventListener('abort', this.#onAbort, { once: true });
    if (sources.some((source) => source.aborted)) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The clock stops; the sources still count. For a stream whose head has arrived. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** To be called when the call is over, however it ended. */
  clear(): void {
    this.stopClock();
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort);
  }
}

/** Resolves after `ms`, or as soon as one of `signals` aborts; never rejects. For waits that are many in the life of a signal. */
export async function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const deadline = new Deadline(ms, signals);
  await aborted(deadline.signal);
  deadline.clear();
}
