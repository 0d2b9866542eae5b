// Regular expressions that users write. RE2 needs no more than linear time, but that times a long pattern, a long value
// and many nodes would still hold up everybody: so each of the three is bounded, and the time of a whole decision.
import { RE2JS, RE2JSException } from 're2js';
import { badRequest } from '../common/errors.ts';

/** In the instructions that the pattern comes to: `x{1000}` has a thousand, an alternative of names few. */
const longestProgram = 2_000;
/** The length of a pattern times its greatest count of repetitions, which what it comes to never exceeds by much. */
const longestPattern = 100_000;
/** Of a longer value only so much is looked at. */
const longestValue = 4_096;
const longestMs = 1_000;
/** Between two decisions, as of a create that waits and is tried again. */
const pauseMs = 5;

/** The time that the regular expressions of one container take while a node is chosen. */
export class MatchTime {
  readonly #limitMs: number;
  #spentMs = 0;
  #endedMs = 0;

  constructor(limitMs = longestMs) {
    this.#limitMs = limitMs;
  }

  /** Throws ApiError 400 when `work` and what was done just before it took too long. */
  spend<T>(work: () => T): T {
    const startMs = performance.now();
    if (startMs - this.#endedMs > pauseMs) this.#spentMs = 0;
    const result = work();
    this.#endedMs = performance.now();
    this.#spentMs += this.#endedMs - startMs;
    if (this.#spentMs < this.#limitMs) return result;
    throw badRequest('the regular expressions among the rules take too long: use fewer or simpler ones');
  }
}

/** Whether the pattern is anywhere in a text; or what was expected instead of `source`. */
export function compileRegExp(source: string, time: MatchTime): ((actual: string) => boolean) | string {
  if (source.length * greatestCount(source) > longestPattern) return tooLong;
  try {
    const compiled = time.spend(() => RE2JS.compile(source));
    if (compiled.programSize() > longestProgram) return tooLong;
    return (actual) => time.spend(() => compiled.matcher(actual.slice(0, longestValue)).find());
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return `a regular expression between the slashes (${error.message})`;
  }
}

const tooLong = 'a shorter regular expression';

function greatestCount(source: string): number {
  const counts = [...source.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, least, most]) => Number(most ?? least));
  return counts.reduce((greatest, count) => Math.max(greatest, count), 1);
}
