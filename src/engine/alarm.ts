// A wait that can be cut short: "look again in five seconds, or now if I tell you".
import { sleep } from '../common/abort.ts';

export class Alarm {
  #waiting: AbortController | undefined;

  /** Resolves after `ms`, when the alarm rings, or when `signal` aborts; never rejects. One waits at a time. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const waiting = new AbortController();
    const wake = (): void => {
      waiting.abort();
    };
    this.#waiting = waiting;
    signal.addEventListener('abort', wake, { once: true });
    await sleep(ms, waiting.signal);
    signal.removeEventListener('abort', wake);
    this.#waiting = undefined;
  }

  /** Without effect while nobody waits: who is not waiting is looking. */
  ring(): void {
    this.#waiting?.abort();
  }
}
