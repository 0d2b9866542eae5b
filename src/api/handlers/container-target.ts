// Finds the engine of the container that a request names, and how the container is called there.
import { unavailable } from '../../common/errors.ts';
import type { ContainerLocation } from '../../cluster/locations.ts';
import type { Engine } from '../../engine/engine.ts';
import type { RequestCall } from '../api-call.ts';
import type { Target } from '../route.ts';

/** The container that `{name*}` of the route names. Throws as `resolveContainer`, and 503 when its engine cannot be asked. */
export function locateContainer(call: RequestCall): ContainerLocation {
  const location = call.cluster.containers.resolve(call.params['name'] ?? '');
  assertReachable(location.engine);
  return location;
}

/** `/containers/<reference>` on the engine, with `action` behind it. */
export function containerPath(call: RequestCall, location: ContainerLocation, action: string): string {
  const reference = referenceOnEngine(call.params['name'] ?? '', location);
  return `/containers/${encodeURIComponent(reference)}${action.split('/').map(encodeURIComponent).join('/')}`;
}

/**
 * The call as the container's engine gets it: the same action on the same container. From then on a container that was
 * not started yet stays where it is: it may be another one than was asked for, or somebody may hold a stream of it.
 */
export function containerTarget(call: RequestCall): Target & { readonly location: ContainerLocation } {
  const location = locateContainer(call);
  call.cluster.containerCreator.stay(location.record.id);
  const action = call.path.slice('/containers/'.length + (call.params['name'] ?? '').length);
  return { engine: location.engine, path: containerPath(call, location, action), location };
}

/** Throws 503 when `engine` is known not to answer, so that nobody waits for it. */
export function assertReachable(engine: Engine): void {
  if (engine.state !== 'healthy') throw unavailable(engine.name, engine.lastError ?? engine.state);
}

/**
 * What the user typed wherever the engine understands it in the same way, because the engine repeats it in its
 * error messages; the full id for the forms that only the cluster knows.
 */
function referenceOnEngine(typed: string, { record }: ContainerLocation): string {
  const plain = typed.startsWith('/') ? typed.slice(1) : typed;
  return plain === record.name || record.id.startsWith(plain) ? plain : record.id;
}
