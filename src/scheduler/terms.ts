// On what terms a container is created, as its rules say: not at all but with the plan shown, or later when there
// is no room now. Whatever the terms, the node is chosen in the same way.
import { badRequest } from '../common/errors.ts';
import { parseDurationMs } from '../docker/duration.ts';
import type { CreateBody } from '../docker/types.ts';
import { rulesOf } from './rules.ts';

export interface Terms {
  /** Only the plan is wanted. */
  readonly isDryRun: boolean;
  /** How long the create may be held until a node can take the container; 0: it is refused at once. */
  readonly waitMs: number;
}

const longestWaitMs = 24 * 60 * 60_000;

/** Throws ApiError 400 for a value that is none, naming what was expected. */
export function termsOf(body: CreateBody): Terms {
  const { dryrun, wait } = rulesOf(body);
  return { isDryRun: parseSwitch(dryrun.at(-1)), waitMs: parseWait(wait.at(-1)) };
}

function parseSwitch(text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1') return true;
  throw badRequest(`invalid dryrun "${text}": expected true or false`);
}

function parseWait(text: string | undefined): number {
  if (text === undefined) return 0;
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= 0 && ms <= longestWaitMs) return ms;
  throw badRequest(`invalid wait "${text}": expected a duration of at most 24h, such as 30s or 5m`);
}
