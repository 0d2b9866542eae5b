// Engines of API 1.44 and newer join the networks of a container in no order, and look the one of its network mode up
// before each other one. A network of a swarm that no container of the node uses yet is not found then, and the start
// fails, or not, by chance. The mode is left open for them; the networks to join stand in the endpoints all the same.
import { endpointsOf, networkModeOf, withEndpoints, changeHost } from './translation/create-body.ts';
import { textMapMember, withGoMember, withoutGoMember } from './go-member.ts';
import type { WireObject } from './types.ts';

const modeLabel = 'com.docker.swarm.network.mode';

/** The body of a create with the mode left open, if it names a network that `isOfSwarm`. */
export function withOpenNetworkMode(body: WireObject, isOfSwarm: (reference: string) => boolean): WireObject {
  const mode = networkModeOf(body);
  if (['default', 'bridge', 'host', 'none'].includes(mode) || mode.startsWith('container:') || !isOfSwarm(mode))
    return body;
  const labelled = withGoMember(body, 'Labels', { ...textMapMember(body, 'Labels'), [modeLabel]: mode });
  // Links of the host configuration count with the default network alone: they would now have to be on this node.
  const open = changeHost(labelled, (host) => withoutGoMember(withGoMember(host, 'NetworkMode', 'default'), 'Links'));
  return Object.keys(endpointsOf(open)).length > 0 ? open : withEndpoints(open, { [mode]: {} });
}

/** `host` with the mode that the container's maker asked for, where it was left open; engines of 26 and newer call that "bridge". */
export function withAskedNetworkMode<T extends HostPart>(
  host: T,
  labels: Readonly<Record<string, string>> | null | undefined,
): T {
  const isOpen = host.NetworkMode === 'default' || host.NetworkMode === 'bridge';
  const NetworkMode = isOpen ? labels?.[modeLabel] : undefined;
  return NetworkMode === undefined ? host : { ...host, NetworkMode };
}

interface HostPart {
  readonly NetworkMode?: string;
}
