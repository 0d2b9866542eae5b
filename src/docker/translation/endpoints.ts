// The networks that a create body names. Engines before API 1.44 take one of them, the one of the network mode;
// the others are joined once the container exists. Only there is a MAC address an affair of the endpoint.
import { compareText } from '../../common/compare-text.ts';
import { goMember, isWireObject, textMember, withGoMember, withoutGoMember } from '../go-member.ts';
import type { WireObject } from '../types.ts';
import { changeEndpoints, endpointsOf, networkModeOf, withEndpoints } from './create-body.ts';
import type { Emulation, EngineFacts } from './rule.ts';

const sysctlsOption = 'com.docker.network.endpoint.sysctls';

export function hasEndpointSysctls(body: WireObject): boolean {
  return Object.values(endpointsOf(body)).some(setsSysctls);
}

export function setsSysctls(endpoint: unknown): boolean {
  return textMember(goMember(endpoint, 'DriverOpts'), sysctlsOption) !== '';
}

export function hasGatewayPriority(body: WireObject): boolean {
  return Object.values(endpointsOf(body)).some(setsGatewayPriority);
}

export function setsGatewayPriority(endpoint: unknown): boolean {
  return (goMember(endpoint, 'GwPriority') ?? 0) !== 0;
}

/** The container is made on one network and joins the others in the order of their names. */
export function joinOneByOne(body: WireObject, engine: EngineFacts): Emulation {
  const endpoints = endpointsOf(body);
  const names = Object.keys(endpoints).sort(compareText);
  const [first] = names;
  if (first === undefined || names.length === 1 || !hasOwnNetworks(body)) return { body };
  const primary = primaryEndpoint(body, engine) ?? first;
  const others = names.filter((name) => name !== primary);
  return {
    body: withEndpoints(body, { [primary]: endpoints[primary] }),
    followUps: others.map((network) => ({ network, endpoint: settingsOf(endpoints, network) })),
  };
}

/** The MAC address of the network mode's endpoint becomes the container's; those of other endpoints cannot be set. */
export function macAddressForContainer(body: WireObject, engine: EngineFacts): Emulation {
  const endpoints = endpointsOf(body);
  const primary = primaryEndpoint(body, engine);
  const lost = Object.entries(endpoints)
    .filter(([name, settings]) => name !== primary && textMember(settings, 'MacAddress') !== '')
    .map(
      ([name]) =>
        `node ${engine.name} speaks API ${engine.apiVersion.max} only: the MAC address on network ${name} is ignored`,
    )
    .sort(compareText);
  const settings = primary === undefined ? {} : settingsOf(endpoints, primary);
  const address = textMember(settings, 'MacAddress');
  if (primary === undefined || address === '') return { body, warnings: lost };
  const moved = withEndpoints(body, { ...endpoints, [primary]: withoutGoMember(settings, 'MacAddress') });
  const isGiven = textMember(body, 'MacAddress') !== '';
  return { body: isGiven ? moved : withGoMember(moved, 'MacAddress', address), warnings: lost };
}

/** Endpoints had no MAC addresses of their own before 1.44; what clients copied from an inspect must not count. */
export function withoutEndpointMacAddresses(body: WireObject): WireObject {
  return changeEndpoints(body, (endpoint) => withoutGoMember(endpoint, 'MacAddress'));
}

/** The container's MAC address becomes that of the network mode's endpoint. */
export function macAddressForEndpoint(body: WireObject, engine: EngineFacts): WireObject {
  const address = textMember(body, 'MacAddress');
  // Where it makes no sense the engine has the words for that.
  if (address !== '' && !hasOwnNetworks(body)) return body;
  const rest = withoutGoMember(body, 'MacAddress');
  if (address === '') return rest;
  const endpoints = endpointsOf(rest);
  const primary = primaryEndpoint(rest, engine) ?? networkModeOf(rest);
  const settings = settingsOf(endpoints, primary);
  if (textMember(settings, 'MacAddress') !== '') return rest;
  return withEndpoints(rest, { ...endpoints, [primary]: withGoMember(settings, 'MacAddress', address) });
}

/** The key of the network mode's endpoint, which may be spelled in another way; undefined when there is none. */
function primaryEndpoint(body: WireObject, engine: EngineFacts): string | undefined {
  const mode = networkModeOf(body);
  const endpoints = endpointsOf(body);
  if (Object.hasOwn(endpoints, mode)) return mode;
  const wanted = idOf(mode, engine);
  const isWanted = (reference: string): boolean => reference !== '' && idOf(reference, engine) === wanted;
  return Object.keys(endpoints)
    .sort(compareText)
    .find((name) => isWanted(name) || isWanted(textMember(endpoints[name], 'NetworkID')));
}

function idOf(reference: string, engine: EngineFacts): string {
  return engine.networkId(reference === 'default' ? 'bridge' : reference);
}

/** Neither the host's network, nor another container's, nor none. */
function hasOwnNetworks(body: WireObject): boolean {
  const mode = networkModeOf(body);
  return mode !== 'host' && mode !== 'none' && !mode.startsWith('container:');
}

function settingsOf(endpoints: WireObject, name: string): WireObject {
  const settings = endpoints[name];
  return isWireObject(settings) ? settings : {};
}
