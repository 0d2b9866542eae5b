// What a container publishes as services that others look up, by the names that Registrator made known: SERVICE_NAME,
// SERVICE_TAGS, SERVICE_IGNORE, and the same of one port, SERVICE_80_NAME, in the environment or as labels, which win. Pure.
import { isIPv6 } from 'node:net';
import type { PublishedService } from '../../discovery/backend.ts';
import { jsonMember } from '../../discovery/json-member.ts';

/** The services of a container as an engine's inspect shows it; none of one that does not run. `nodeHost`: where others reach the node. */
export function containerServices(inspected: unknown, nodeHost: string): readonly PublishedService[] {
  const container = read(inspected);
  if (container === undefined) return [];
  const published = container.ports.filter(({ port }) => (container.setting('IGNORE', port) ?? '') === '');
  const isOneOfSeveral = new Set(published.map(({ port }) => port)).size > 1;
  const services = published.flatMap((place) => {
    const { port, protocol, hostIp, hostPort } = place;
    if (isLoopback(hostIp)) return [];
    const isEverywhere = hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::';
    const isUdp = protocol === 'udp';
    const service: PublishedService = {
      id: [container.id, ...(isEverywhere ? [] : [hostIp]), hostPort, ...(isUdp ? ['udp'] : [])].join('-'),
      name: container.own('NAME', port) ?? `${container.name}${isOneOfSeveral ? `-${port}` : ''}`,
      tags: [...tagsOf(container.setting('TAGS', port)), ...(isUdp ? ['udp'] : [])],
      host: isEverywhere ? nodeHost : hostIp,
      port: hostPort,
      trouble: container.trouble,
    };
    return [service];
  });
  // A port that is open on all addresses of IPv4 and of IPv6 is told twice.
  return [...new Map(services.map((service) => [service.id, service])).values()];
}

interface Container {
  readonly id: string;
  readonly name: string;
  readonly ports: readonly PublishedPort[];
  readonly trouble: string | undefined;
  /** What is set for one port. */
  readonly own: (name: string, port: number) => string | undefined;
  /** What is set for one port, or else for all. */
  readonly setting: (name: string, port: number) => string | undefined;
}

interface PublishedPort {
  readonly port: number;
  readonly protocol: string;
  readonly hostIp: string;
  readonly hostPort: number;
}

function read(inspected: unknown): Container | undefined {
  const [id, state, config] = ['Id', 'State', 'Config'].map((name) => jsonMember(inspected, name));
  if (typeof id !== 'string' || jsonMember(state, 'Running') !== true) return undefined;
  const labels = textsOf(jsonMember(config, 'Labels'));
  const settings = new Map([...environmentOf(config), ...labels]);
  const own = (name: string, port: number): string | undefined => settings.get(`SERVICE_${port}_${name}`);
  return {
    id: id.slice(0, 12),
    name: settings.get('SERVICE_NAME') ?? defaultName(inspected, labels),
    ports: portsOf(inspected),
    trouble: troubleOf(state),
    own,
    setting: (name, port) => own(name, port) ?? settings.get(`SERVICE_${name}`),
  };
}

/** The service of the Compose project, the base name of the image, or that of the container where the image has no name. */
function defaultName(inspected: unknown, labels: ReadonlyMap<string, string>): string {
  const image = textOf(jsonMember(jsonMember(inspected, 'Config'), 'Image'));
  const base = /([^/:@]+)(?::[^/]*)?$/.exec(image.replace(/@.*/, ''))?.[1] ?? '';
  const isId = image.startsWith('sha256:') || /^[0-9a-f]{12,64}$/.test(image);
  const container = textOf(jsonMember(inspected, 'Name')).replace(/^\//, '');
  const name = labels.get('com.docker.compose.service') ?? (isId || base === '' ? container : base);
  // Only these letters can be looked up in the DNS.
  return name.replaceAll(/[^A-Za-z0-9-]+/g, '-');
}

/** Those that are published; of a container in the network of its host, those that its image exposes. */
function portsOf(inspected: unknown): readonly PublishedPort[] {
  if (jsonMember(jsonMember(inspected, 'HostConfig'), 'NetworkMode') === 'host') {
    const exposed = membersOf(jsonMember(jsonMember(inspected, 'Config'), 'ExposedPorts'));
    return exposed.flatMap(([key]) => portOf(key, { HostPort: key.split('/')[0] }));
  }
  const published = membersOf(jsonMember(jsonMember(inspected, 'NetworkSettings'), 'Ports'));
  return published.flatMap(([key, bindings]) =>
    Array.isArray(bindings) ? bindings.flatMap((binding: unknown) => portOf(key, binding)) : [],
  );
}

function portOf(key: string, binding: unknown): readonly PublishedPort[] {
  const [digits, protocol = 'tcp'] = key.split('/');
  const port = Number(digits);
  const hostPort = Number(jsonMember(binding, 'HostPort'));
  if (!(port > 0) || !(hostPort > 0) || (protocol !== 'tcp' && protocol !== 'udp')) return [];
  return [{ port, protocol, hostIp: textOf(jsonMember(binding, 'HostIp')), hostPort }];
}

/** Why nobody should be sent there; a container without a health check is well as long as it runs. */
function troubleOf(state: unknown): string | undefined {
  if (jsonMember(state, 'Paused') === true) return 'the container is paused';
  const health = jsonMember(jsonMember(state, 'Health'), 'Status');
  return health === 'starting' || health === 'unhealthy' ? `the container is ${health}` : undefined;
}

function environmentOf(config: unknown): readonly (readonly [string, string])[] {
  const environment = jsonMember(config, 'Env');
  const texts: readonly unknown[] = Array.isArray(environment) ? environment : [];
  return texts.flatMap((text) => {
    const [, name, value] = /^(SERVICE_[^=]*)=(.*)$/s.exec(textOf(text)) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
}

function tagsOf(text = ''): readonly string[] {
  return text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

function isLoopback(ip: string): boolean {
  return isIPv6(ip) ? ip === '::1' : ip.startsWith('127.');
}

function membersOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function textsOf(value: unknown): ReadonlyMap<string, string> {
  return new Map(membersOf(value).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
