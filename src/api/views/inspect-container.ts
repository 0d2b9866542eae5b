// The answer of a container inspect as clients of the manager see it: the engine's own, with the node named and
// with published addresses that can be reached. The requested bindings in HostConfig stay as they are, because
// tools create the container anew from them.
import { withAskedNetworkMode } from '../../docker/network-mode.ts';
import type { ContainerInspect, EngineInfo, PortBinding, PortMap } from '../../docker/types.ts';
import type { NodeIdentity } from '../../cluster/locations.ts';
import { readPlacement } from '../../cluster/create/placement-label.ts';
import { publishedAddress } from './published-address.ts';

/** What is known about the container's engine. */
export interface InspectedNode {
  readonly address: string;
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly info: EngineInfo | undefined;
}

export function toInspectView(
  inspect: ContainerInspect,
  node: InspectedNode,
  identity: NodeIdentity,
): ContainerInspect {
  const { NetworkSettings: settings, HostConfig: host } = inspect;
  const ports = settings?.Ports;
  return {
    ...inspect,
    ...(settings && ports ? { NetworkSettings: { ...settings, Ports: reachablePorts(ports, node.host) } } : {}),
    ...(host ? { HostConfig: withAskedNetworkMode(host, inspect.Config?.Labels) } : {}),
    Placement: readPlacement(inspect.Config?.Labels) ?? null,
    Node: {
      ID: identity.id,
      IP: node.host,
      Addr: node.address,
      Name: identity.name,
      Cpus: node.info?.NCPU ?? 0,
      Memory: node.info?.MemTotal ?? 0,
      Labels: node.labels,
    },
  };
}

function reachablePorts(ports: PortMap, host: string): PortMap {
  return Object.fromEntries(
    Object.entries(ports).map(([port, bindings]) => [port, bindings && reachableBindings(bindings, host)]),
  );
}

function reachableBindings(bindings: readonly PortBinding[], host: string): readonly PortBinding[] {
  const shown = bindings.flatMap((binding) => {
    const HostIp = publishedAddress(binding.HostIp ?? '', host);
    return HostIp === undefined ? [] : [{ ...binding, HostIp }];
  });
  // Published for IPv6 only, on a node whose IPv6 address is not known: the port itself must not get lost.
  return shown.length === 0 ? bindings : shown;
}
