// The STATUS column of `docker ps`, worded exactly as the engine words it. It ages, so it is made for each answer.
import { formatSpan, nextSpanMs } from './units.ts';

export interface StatusFacts {
  /** `State.Status`: created running paused restarting removing exited dead. */
  readonly state: string;
  readonly exitCode: number;
  /** undefined: never started. */
  readonly startedAtMs: number | undefined;
  /** undefined: never ended. */
  readonly finishedAtMs: number | undefined;
  /** starting, healthy, unhealthy; undefined or "none" without a health check. */
  readonly health: string | undefined;
}

/** `nowMs` is the engine's clock. */
export function statusText(facts: StatusFacts, nowMs: number): string {
  const { state, startedAtMs, finishedAtMs } = facts;
  switch (state) {
    case 'running':
      return `Up ${since(startedAtMs, nowMs)}${healthSuffix(facts.health)}`;
    case 'paused':
      return `Up ${since(startedAtMs, nowMs)} (Paused)`;
    case 'restarting':
      return `Restarting (${facts.exitCode}) ${since(finishedAtMs, nowMs)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    default:
      return stoppedText(facts, nowMs);
  }
}

/** From this moment on `statusText` may say something else than at `nowMs`; Infinity when it never will. */
export function statusHoldsUntilMs(facts: StatusFacts, nowMs: number): number {
  const sinceMs = countedFromMs(facts);
  return sinceMs === undefined ? Infinity : sinceMs + nextSpanMs(nowMs - sinceMs);
}

/** The moment whose distance the text tells. */
function countedFromMs({ state, startedAtMs, finishedAtMs }: StatusFacts): number | undefined {
  if (state === 'running' || state === 'paused') return startedAtMs;
  return state === 'removing' || state === 'dead' ? undefined : finishedAtMs;
}

function stoppedText({ startedAtMs, finishedAtMs, exitCode }: StatusFacts, nowMs: number): string {
  if (startedAtMs === undefined) return 'Created';
  if (finishedAtMs === undefined) return '';
  return `Exited (${exitCode}) ${since(finishedAtMs, nowMs)} ago`;
}

function since(thenMs: number | undefined, nowMs: number): string {
  return formatSpan(nowMs - (thenMs ?? nowMs));
}

function healthSuffix(health: string | undefined): string {
  if (health === undefined || health === '' || health === 'none') return '';
  return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}
