// Swarm mode is not what this host offers: its endpoints answer as an engine that is in no swarm does, and
// those that would change that say what to do instead.
import { ApiError, notImplemented } from '../../common/errors.ts';
import type { ApiCall } from '../api-call.ts';

/** The answer of an engine outside a swarm to everything about services, secrets, configs and the swarm itself. */
export function notAManager(): ApiError {
  return new ApiError(
    503,
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}

export function refuseAsNonManager(): Promise<void> {
  throw notAManager();
}

/** POST /swarm/leave */
export function refuseLeave(): Promise<void> {
  throw new ApiError(503, 'This node is not part of a swarm');
}

/** POST /swarm/init and /swarm/join */
export function refuseSwarmMode(call: ApiCall): Promise<void> {
  throw notImplemented(
    `${call.path} is not offered: this host is a cluster already, whose engines are announced by their agents (shoal join)`,
  );
}
