// The API version at which an engine is asked for something that a client asked of the manager.
import { compareApiVersion } from '../docker/api-version.ts';
import type { Engine } from '../engine/engine.ts';

/** The client's version, but none that the engine does not speak. */
export function effectiveVersion(clientVersion: string, engine: Engine): string {
  const { min, max } = engine.apiVersion;
  if (compareApiVersion(clientVersion, max) > 0) return max;
  return compareApiVersion(clientVersion, min) < 0 ? min : clientVersion;
}
