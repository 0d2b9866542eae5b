// The `platform` argument of image calls. Engines that do not know it answer with the variant of their own, without a
// word; so it is refused where the engine is too old for it.
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import type { Engine } from '../../engine/engine.ts';
import type { RequestCall } from '../api-call.ts';

/** Throws 400 when the call chooses a platform, or several, and `engine` speaks no version that does: `since` brought it. */
export function assertPlatformKnown(call: RequestCall, engine: Engine, since: string, argument = 'platform'): void {
  if (!call.query.has(argument) || compareApiVersion(call.version, since) < 0) return;
  if (compareApiVersion(engine.apiVersion.max, since) >= 0) return;
  const { name } = call.cluster.members.identityOf(engine);
  throw badRequest(
    `${argument} needs an engine of API ${since} or newer, and node ${name} speaks ${engine.apiVersion.max}`,
  );
}
