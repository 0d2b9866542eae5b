// The ports of the node that a create body asks for. Ports left to the engine are not among them.
import { goMember, listMember, mapMember, textMember } from '../docker/go-member.ts';
import type { CreateBody } from '../docker/types.ts';
import type { PublishedPort, PublishedPortRange } from './contracts.ts';

export interface RequestedPorts {
  readonly ports: readonly PublishedPort[];
  readonly portRanges: readonly PublishedPortRange[];
  readonly hostModePorts: readonly PublishedPort[];
}

const highestPort = 65_535;

/** Bindings count on networks alone; on the engine's own network (`--network host`) the exposed ports do. */
export function requestedPorts(body: CreateBody): RequestedPorts {
  const host = goMember(body, 'HostConfig');
  const mode = textMember(host, 'NetworkMode');
  if (mode === 'host') return { ports: [], portRanges: [], hostModePorts: exposedPorts(body) };
  if (mode === 'none' || mode.startsWith('container:')) return { ports: [], portRanges: [], hostModePorts: [] };
  const ranges = bindingRanges(mapMember(host, 'PortBindings'), host);
  return {
    ports: ranges.filter(isSingle).map(({ ip, firstPort, protocol }) => ({ ip, port: firstPort, protocol })),
    portRanges: ranges.filter((range) => !isSingle(range)),
    hostModePorts: [],
  };
}

function bindingRanges(bindings: Readonly<Record<string, unknown>>, host: unknown): readonly PublishedPortRange[] {
  return Object.keys(bindings).flatMap((key) =>
    listMember(goMember(host, 'PortBindings'), key).flatMap((binding) => {
      const range = parseRange(textMember(binding, 'HostPort'));
      return range === undefined ? [] : [{ ip: hostAddress(binding), ...range, protocol: protocolOf(key) }];
    }),
  );
}

function exposedPorts(body: CreateBody): readonly PublishedPort[] {
  return Object.keys(mapMember(body, 'ExposedPorts')).flatMap((key) => {
    const range = parseRange(key.split('/')[0] ?? '');
    if (range === undefined || range.firstPort !== range.lastPort) return [];
    return [{ ip: '', port: range.firstPort, protocol: protocolOf(key) }];
  });
}

/** undefined: the engine chooses ('' and 0), or will itself refuse what is not a port. */
function parseRange(text: string): { firstPort: number; lastPort: number } | undefined {
  const parts = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (parts === null) return undefined;
  const firstPort = Number(parts[1]);
  const lastPort = Number(parts[2] ?? parts[1]);
  return firstPort === 0 || lastPort < firstPort || lastPort > highestPort ? undefined : { firstPort, lastPort };
}

function isSingle({ firstPort, lastPort }: PublishedPortRange): boolean {
  return firstPort === lastPort;
}

/** The unspecified addresses mean every address of the node. */
function hostAddress(binding: unknown): string {
  const ip = textMember(binding, 'HostIp');
  return ip === '0.0.0.0' || ip === '::' || ip === '[::]' ? '' : ip;
}

/** "80/udp" is udp, "80" is tcp. */
function protocolOf(key: string): string {
  return (key.split('/')[1] ?? 'tcp').toLowerCase();
}
