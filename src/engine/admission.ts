// At most so many engines are read from scratch at a time, lest a thousand that appear at once fill the memory with
// half-read answers. A slow one is not waited for: its place is given on, and it goes on beside the others.
import { sleep } from '../common/abort.ts';
import { Limiter } from './limiter.ts';
import { spaceBytes } from './read-pool.ts';

/** Enough to keep a manager busy with engines that are tens of milliseconds away. */
const readAtOnce = 48;
const placeHeldMs = 1_000;

export class Admission {
  /** Where the answers of engines are read to before they are parsed. */
  readonly space = Buffer.allocUnsafeSlow(spaceBytes);
  readonly #places = new Limiter(readAtOnce);

  /** The result of `work`, begun when its turn has come. Rejects with the signal's reason when it aborts before that. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    let result: Promise<T> | undefined;
    await this.#places.run(async () => {
      const begun = work();
      result = begun;
      const finished = new AbortController();
      const end = (): void => {
        finished.abort();
      };
      begun.then(end, end);
      await sleep(placeHeldMs, finished.signal);
    }, signal);
    if (result === undefined) throw new Error('the place was given back unused');
    return await result;
  }
}
