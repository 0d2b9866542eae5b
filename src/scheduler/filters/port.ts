// A published port needs a node where nothing active holds it, by address and protocol; of a range one port that
// is free is enough. What the replaced container holds counts as free.
import type { Filter, Node, PlacementRequest, PublishedPort, PublishedPortRange, Requirement } from '../contracts.ts';
import { replacedOn } from './replaced.ts';

export const portFilter: Filter = {
  name: 'port',
  requirements: (request) => {
    const fixed = [
      ...request.ports.map((port) => portRequirement(port, bridgeModeText(port), request)),
      ...request.hostModePorts.map((port) => portRequirement(port, hostModeText(port), request)),
    ];
    return request.portRanges.length === 0 ? fixed : [...fixed, rangeRequirement(request)];
  },
};

/** The ports that a reservation for `request` on `node` must hold: the fixed ones, and for each range the first that is free. */
export function portsToReserve(request: PlacementRequest, node: Node): readonly PublishedPort[] {
  const fixed = [...request.ports, ...request.hostModePorts];
  return [...fixed, ...(assignRanges(request, node) ?? [])];
}

/** One port for each of `ranges` that `isFree`, none of them twice nor among `fixed`; undefined when there are not enough. */
export function assignPorts(
  ranges: readonly PublishedPortRange[],
  fixed: readonly PublishedPort[],
  isFree: (port: PublishedPort) => boolean,
): readonly PublishedPort[] | undefined {
  const assigned: PublishedPort[] = [];
  for (const range of ranges) {
    const port = firstFree(range, [...fixed, ...assigned], isFree);
    if (port === undefined) return undefined;
    assigned.push(port);
  }
  return assigned;
}

function portRequirement(port: PublishedPort, description: string, request: PlacementRequest): Requirement {
  const text = portText(port.ip, String(port.port), port.protocol);
  return {
    description,
    soft: false,
    accepts: (node) => isFree(node, port, request),
    reason: () => `port ${text} is taken`,
  };
}

function rangeRequirement(request: PlacementRequest): Requirement {
  const text = request.portRanges.map(rangeText).join(', ');
  return {
    description: `a free port in ${text}`,
    soft: false,
    accepts: (node) => assignRanges(request, node) !== undefined,
    reason: () => `no free port left in ${text}`,
  };
}

function assignRanges(request: PlacementRequest, node: Node): readonly PublishedPort[] | undefined {
  return assignPorts(request.portRanges, request.ports, (port) => isFree(node, port, request));
}

function firstFree(
  { ip, firstPort, lastPort, protocol }: PublishedPortRange,
  assigned: readonly PublishedPort[],
  isFreePort: (port: PublishedPort) => boolean,
): PublishedPort | undefined {
  for (let port = firstPort; port <= lastPort; port += 1) {
    const candidate = { ip, port, protocol };
    if (!assigned.some((other) => isSamePort(other, candidate)) && isFreePort(candidate)) return candidate;
  }
  return undefined;
}

function isFree(node: Node, port: PublishedPort, request: PlacementRequest): boolean {
  if (!node.isPortTaken(port)) return true;
  const replaced = replacedOn(node, request);
  return replaced !== undefined && !node.isPortTaken(port, replaced.id);
}

function isSamePort(a: PublishedPort, b: PublishedPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === '' || b.ip === '' || a.ip === b.ip);
}

function rangeText({ ip, firstPort, lastPort, protocol }: PublishedPortRange): string {
  return portText(ip, `${firstPort}-${lastPort}`, protocol);
}

function bridgeModeText({ ip, port, protocol }: PublishedPort): string {
  const text = portText(ip, String(port), protocol);
  return `port ${text.replace(/\/tcp$/, '')} (Bridge mode)`;
}

function hostModeText({ ip, port, protocol }: PublishedPort): string {
  return `port ${portText(ip, String(port), protocol)} (Host mode)`;
}

function portText(ip: string, port: string, protocol: string): string {
  const address = ip.includes(':') ? `[${ip}]` : ip;
  return `${address === '' ? '' : `${address}:`}${port}/${protocol}`;
}
