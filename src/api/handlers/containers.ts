// The calls on one container that its engine answers: which engine, and what the mirror must learn before the
// client sees the answer.
import { ApiError, badRequest, notImplemented } from '../../common/errors.ts';
import { parseGoBool } from '../../docker/go-bool.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import { callEngine, callEngineAndSettle, messageOf, sendEngineAnswer } from '../engine-call.ts';
import type { Target } from '../route.ts';
import { assertReachable, containerPath, containerTarget, locateContainer } from './container-target.ts';
import { needsStreamType, streamType } from './stream-type.ts';

/** Calls that leave the container as the lists show it, and streams. */
export function use(call: RequestCall): Target {
  return containerTarget(call);
}

/** GET /containers/{name}/logs and POST /containers/{name}/attach. */
export function output(call: RequestCall): Target {
  const { location, ...target } = containerTarget(call);
  const tty = location.record.details?.tty;
  if (tty === undefined || !needsStreamType(call, location.engine)) return target;
  return { ...target, contentType: streamType(tty) };
}

/** Calls after which the lists show the container differently, or no longer. */
export function change(call: RequestCall): Target {
  const { location, ...target } = containerTarget(call);
  return { ...target, settle: (signal) => location.engine.refreshContainer(location.record.id, signal) };
}

/** POST /containers/{name}/kill. */
export function kill(call: RequestCall): Target {
  try {
    return change(call);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw new ApiError(404, `cannot kill container: ${call.params['name'] ?? ''}: ${error.message}`, { cause: error });
  }
}

/** The calls on checkpoints. Engines look whether they are experimental before they look for the container. */
export function checkpoints(call: RequestCall): Target {
  if (call.cluster.members.healthyEngines.some(({ info }) => info?.ExperimentalBuild === true))
    return containerTarget(call);
  throw notImplemented(
    'This experimental feature is disabled by default. ' +
      'Start the Docker daemon in experimental mode in order to enable it.',
  );
}

/**
 * POST /containers/{name}/start. A container whose node cannot start it may be started on another one; a stopped one
 * needs what it asked for to be left on its node. A request with
 * a body is refused as dockerd does, which once took a host configuration here.
 */
export async function start(call: ApiCall): Promise<void> {
  const { headers } = call.req;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 7;
  if (hasBody) {
    throw badRequest(
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
  }
  const location = locateContainer(call);
  const { engine, record } = location;
  const target: Target = {
    engine,
    path: containerPath(call, location, '/start'),
    settle: (signal) => engine.refreshContainer(record.id, signal),
  };
  const giveRoomBack = call.cluster.placer.holdRoomToStart(location);
  try {
    await callEngineAndSettle(target, call, async ({ statusCode, body }) => {
      if (statusCode !== 500) return false;
      const refusal = new ApiError(statusCode, messageOf(body.toString('utf8')));
      const started = await call.cluster.containerCreator.startElsewhere(location, refusal, call.signal);
      if (started === undefined) return false;
      call.sendEmpty(204);
      return true;
    });
  } finally {
    giveRoomBack();
  }
}

/** DELETE /containers/{name}. With `link`, the name is that of a link, `<container>/<alias>`, and only the link goes. */
export function remove(call: RequestCall): Target {
  const name = call.params['name'] ?? '';
  if (name === '') throw badRequest('invalid name or ID supplied: ""');
  if (parseGoBool(call.query.get('link'))) return removeLink(call, name);
  const { location, ...target } = containerTarget(call);
  const { engine, record } = location;
  return {
    ...target,
    settle: async (signal, statusCode) => {
      if (statusCode === 204) engine.containerRemoved(record.id);
      else await engine.refreshContainer(record.id, signal);
      if (parseGoBool(call.query.get('v'))) await engine.refreshVolumes(signal);
    },
  };
}

function removeLink(call: RequestCall, link: string): Target {
  const slash = link.lastIndexOf('/');
  const { engine, record } = call.cluster.containers.resolve(slash > 0 ? link.slice(0, slash) : link);
  if (slash <= 0) throw new ApiError(500, 'Conflict, cannot remove the default link name of the container');
  assertReachable(engine);
  return {
    engine,
    path: `/containers/${encodeURIComponent(record.name)}/${encodeURIComponent(link.slice(slash + 1))}`,
    settle: (signal) => engine.refreshContainer(record.id, signal),
  };
}

/** POST /containers/{name}/rename: the new name is kept from everyone else while the engine renames. */
export async function rename(call: ApiCall): Promise<void> {
  const { location, ...target } = containerTarget(call);
  const newName = call.query.get('name') ?? '';
  const answer = await call.cluster.renames.rename(location, newName, () => callEngine(target, call));
  sendEngineAnswer(call.res, answer);
}

/** POST /commit: the image comes to be on the container's engine. */
export function commit(call: RequestCall): Target {
  const { engine, record } = call.cluster.containers.resolve(call.query.get('container') ?? '');
  assertReachable(engine);
  const query = new URLSearchParams(call.query);
  query.set('container', record.id);
  return { engine, path: '/commit', search: query.toString(), settle: (signal) => engine.refreshImages(signal) };
}
