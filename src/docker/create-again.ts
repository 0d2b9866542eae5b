// From the inspect of a container to the body that creates it once more. What the engine chose for the one container
// (its id as host name, addresses, endpoints) is left out; everything else is said again as it was said.
import { withAskedNetworkMode } from './network-mode.ts';
import { isBuiltinNetwork } from './predefined-networks.ts';
import type { ContainerInspect, CreateBody, EndpointSettings, HostConfig, WireObject } from './types.ts';

/**
 * `isOfSwarm` tells the networks of which every address looks like one that was asked for, though the swarm chose it.
 * References to other containers are left as the engine has them, by id.
 */
export function createAgain(inspect: ContainerInspect, isOfSwarm: (network: string) => boolean): CreateBody {
  const { Config = {}, HostConfig = {}, Id: id } = inspect;
  const host = withAskedNetworkMode(HostConfig, Config.Labels);
  const mode = host.NetworkMode ?? 'default';
  return {
    ...withoutOwnHostname(Config, id, mode),
    HostConfig: { ...host, NetworkMode: mode, Links: linksAgain(host) },
    NetworkingConfig: { EndpointsConfig: endpointsAgain(inspect, mode, isOfSwarm) },
  };
}

function withoutOwnHostname(config: WireObject, id: string, mode: string): WireObject {
  const { Hostname: name, ...rest } = config;
  const isOwn = typeof name !== 'string' || name === '' || id.startsWith(name) || !mayHaveName(mode);
  return isOwn ? rest : config;
}

function mayHaveName(mode: string): boolean {
  return mode !== 'host' && !mode.startsWith('container:');
}

/** An inspect has "/db:/web/alias" where a create has "db:alias". */
function linksAgain({ Links }: HostConfig): readonly string[] | null {
  return (
    Links?.map((link) => {
      const [target = '', alias = ''] = link.split(':');
      return `${target.replace(/^\//, '')}:${alias.slice(alias.lastIndexOf('/') + 1)}`;
    }) ?? null
  );
}

function endpointsAgain(
  { Id, NetworkSettings }: ContainerInspect,
  mode: string,
  isOfSwarm: (network: string) => boolean,
): Readonly<Record<string, WireObject>> {
  if (mode.startsWith('container:')) return {};
  const endpoints = Object.entries(NetworkSettings?.Networks ?? {});
  return Object.fromEntries(
    endpoints
      .filter(([network]) => !isBuiltinNetwork(network))
      .map(([network, settings]) => [network, endpointAgain(settings, Id, isOfSwarm(network))]),
  );
}

function endpointAgain(settings: EndpointSettings, id: string, isOfSwarm: boolean): WireObject {
  const { Aliases, Links, DriverOpts, GwPriority, IPAMConfig } = settings;
  const asked = {
    Aliases: Aliases?.filter((alias) => !id.startsWith(alias)),
    Links,
    DriverOpts,
    GwPriority,
    IPAMConfig: isOfSwarm ? undefined : IPAMConfig,
  };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined && value !== null));
}
