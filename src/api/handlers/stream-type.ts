// The Content-Type of output streams. Engines tell multiplexed output from a terminal's since API 1.42; where an older
// engine serves a newer client, the manager says it in the engine's place.
import { compareApiVersion } from '../../docker/api-version.ts';
import type { Engine } from '../../engine/engine.ts';
import type { RequestCall } from '../api-call.ts';
import { effectiveVersion } from '../versions.ts';

const since = '1.42';

/** Whether `engine` leaves the distinction to be made here. */
export function needsStreamType(call: RequestCall, engine: Engine): boolean {
  return (
    compareApiVersion(call.version, since) >= 0 && compareApiVersion(effectiveVersion(call.version, engine), since) < 0
  );
}

export function streamType(isTerminal: boolean): string {
  return `application/vnd.docker.${isTerminal ? 'raw' : 'multiplexed'}-stream`;
}
