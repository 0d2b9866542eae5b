// The calls on single volumes: each goes to the engine that has the volume, by its plain name there.
import { ApiError } from '../../common/errors.ts';
import { goMember, textMember } from '../../docker/go-member.ts';
import { parseGoBool } from '../../docker/go-bool.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import { callEngineAndSettle, forwardedHeaders } from '../engine-call.ts';
import type { Target } from '../route.ts';
import { assertReachable } from './container-target.ts';
import { notAManager } from './swarm.ts';

/** POST /volumes/create. */
export async function createVolume(call: ApiCall): Promise<void> {
  const body = await call.json();
  call.trace.concerns(textMember(body, 'Name'));
  if (goMember(body, 'ClusterVolumeSpec') !== undefined) throw notAManager();
  const { row } = await call.cluster.createVolume({
    body,
    headers: forwardedHeaders(call.req),
    version: call.version,
    signal: call.signal,
  });
  call.send(201, row);
}

/** GET /volumes/{name}. */
export function inspectVolume(call: RequestCall): Target {
  return volumeTarget(call);
}

/** PUT /volumes/{name}: only volumes of a swarm can be changed. */
export function changeVolume(): Promise<void> {
  throw new ApiError(503, 'volume update only valid for cluster volumes, but swarm is unavailable');
}

/** DELETE /volumes/{name}; with `force`, one that nobody has is no error. */
export async function removeVolume(call: ApiCall): Promise<void> {
  const target = removalTarget(call);
  if (target === undefined) call.sendEmpty(204);
  else await callEngineAndSettle(target, call);
}

function removalTarget(call: ApiCall): Target | undefined {
  try {
    const { engines, ...target } = volumeTarget(call);
    const refresh = async (signal: AbortSignal): Promise<void> => {
      await Promise.all(engines.map((engine) => engine.refreshVolumes(signal)));
    };
    return { ...target, settle: refresh };
  } catch (error) {
    const isAbsent = error instanceof ApiError && error.status === 404;
    if (isAbsent && parseGoBool(call.query.get('force'))) return undefined;
    throw error;
  }
}

/** `engines` are all that show the volume: several only where its driver shares it between nodes. */
function volumeTarget(call: RequestCall): Target & { readonly engines: readonly Engine[] } {
  const { engine, row } = call.cluster.volumes.resolve(call.params['name'] ?? '');
  assertReachable(engine);
  const sharers = call.cluster.members.healthyEngines.filter((other) => other.mirror.volumes.has(row.Name));
  const engines = row.Scope === 'global' ? sharers : [engine];
  return { engine, path: `/volumes/${encodeURIComponent(row.Name)}`, engines };
}
