// What a project looks like from outside: its containers, networks and volumes as a Docker API address shows them, with
// whatever is chance (ids, addresses, random ports) taken out.
import { elements, field, text } from '../document.ts';
import { httpCall, urlOf, type Peer } from '../rig/http-call.ts';

export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export interface ProjectContainer {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** As inspect answers. */
  readonly document: unknown;
}

/** All of the project, stopped ones too, in the order of their names. */
export async function containersOf(peer: Peer, project: string): Promise<readonly ProjectContainer[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }));
  const rows = elements(await read(peer, `/containers/json?all=1&filters=${filters}`));
  const documents = await Promise.all(rows.map(async (row) => await read(peer, `/containers/${text(row, 'Id')}/json`)));
  return documents
    .filter((document) => field(document, 'Id') !== undefined)
    .map((document) => ({
      id: text(document, 'Id'),
      name: text(document, 'Name').replace(/^.*\//, ''),
      service: text(document, 'Config', 'Labels', 'com.docker.compose.service'),
      document,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Running and not about to become healthy, or ended where that is expected. */
export function isSettled({ service, document }: ProjectContainer, ends: readonly string[]): boolean {
  const status = text(document, 'State', 'Status');
  if (ends.includes(service)) return status === 'exited';
  return status === 'running' && field(document, 'State', 'Health', 'Status') !== 'starting';
}

/** Whether each is alive, and how it ended if not. */
export function statesOf(containers: readonly ProjectContainer[]): Plain {
  return Object.fromEntries(
    containers.map(({ name, document }) => [
      name,
      {
        status: text(document, 'State', 'Status'),
        exitCode: plain(field(document, 'State', 'ExitCode')),
        health: plain(field(document, 'State', 'Health', 'Status') ?? null),
      },
    ]),
  );
}

export async function snapshotOf(peer: Peer, project: string): Promise<Plain> {
  const containers = await containersOf(peer, project);
  const cleaned = cleaner(containers);
  const networks = elements(await read(peer, '/networks')).filter((row) => isOfProject(row, project));
  const volumes = elements(await read(peer, '/volumes'), 'Volumes').filter((row) => isOfProject(row, project));
  return cleaned({
    states: statesOf(containers),
    containers: Object.fromEntries(containers.map(({ name, document }) => [name, containerFacts(document)])),
    networks: Object.fromEntries(
      networks.map((row) => [
        text(row, 'Name'),
        {
          ...picked(row, ['Driver', 'Scope', 'Internal', 'Attachable', 'EnableIPv6', 'Labels', 'Options']),
          subnets: ownSubnets(row),
        },
      ]),
    ),
    volumes: Object.fromEntries(
      volumes.map((row) => [text(row, 'Name'), picked(row, ['Driver', 'Scope', 'Labels', 'Options'])]),
    ),
  });
}

/** Replaces what no two runs have in common. */
export function cleaner(containers: readonly ProjectContainer[]): (value: Plain) => Plain {
  const names = new Map(containers.flatMap(({ id, name }) => [id, id.slice(0, 12)].map((key) => [key, name] as const)));
  const clean = (value: Plain): Plain => {
    if (typeof value === 'string') return cleanText(value, names);
    if (Array.isArray(value)) return (value as readonly Plain[]).map(clean);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [cleanText(key, names), clean(member)]));
  };
  return clean;
}

function cleanText(value: string, names: ReadonlyMap<string, string>): string {
  return value
    .replace(/\b([0-9a-f]{12}|[0-9a-f]{64})\b/g, (id) => names.get(id) ?? '<id>')
    .replace(/\bnode-\d\b/g, '<node>');
}

async function read(peer: Peer, path: string): Promise<unknown> {
  return (await httpCall({ method: 'GET', url: urlOf(peer, `/v1.41${path}`), tls: peer.tls })).json;
}

function isOfProject(row: unknown, project: string): boolean {
  return field(row, 'Labels', 'com.docker.compose.project') === project;
}

/** Without those that the engine takes from its pools, which are as wide as these. */
function ownSubnets(network: unknown): Plain {
  const configs = (field(network, 'IPAM', 'Config') ?? []) as readonly unknown[];
  return configs.filter((config) => !/\/(?:16|20)$/.test(text(config, 'Subnet'))).map(plain);
}

function containerFacts(document: unknown): Plain {
  return {
    config: picked(field(document, 'Config'), configFields),
    environment: environmentOf(document),
    host: withoutEmpty(plain(field(document, 'HostConfig')), unstableHostFields),
    restart: restartPolicy(document),
    restarts: plain(field(document, 'RestartCount')),
    mounts: Object.fromEntries(
      elements(document, 'Mounts').map((mount) => [
        text(mount, 'Destination').replaceAll('/', '|'),
        { ...picked(mount, ['Type', 'Name', 'Driver', 'Mode', 'RW', 'Propagation']), ...bindSource(mount) },
      ]),
    ),
    networks: Object.fromEntries(
      Object.entries(field(document, 'NetworkSettings', 'Networks') ?? {}).map(([name, endpoint]) => [
        name,
        {
          aliases: sortedTexts(field(endpoint, 'Aliases')).filter(
            (alias) => alias !== text(document, 'Id').slice(0, 12),
          ),
          links: sortedTexts(field(endpoint, 'Links')),
          fixedAddress: plain(field(endpoint, 'IPAMConfig', 'IPv4Address') ?? null),
          hasAddress: field(endpoint, 'IPAddress') !== '',
        },
      ]),
    ),
    ports: portsOf(document),
  };
}

const configFields = [
  ...['Image', 'Cmd', 'Entrypoint', 'Labels', 'User', 'WorkingDir', 'Hostname', 'Domainname', 'Tty'],
  ...['OpenStdin', 'StopSignal', 'StopTimeout', 'Healthcheck', 'ExposedPorts', 'Volumes'],
];

/** Which depend on the engine's release or machine alone. */
const unstableHostFields: ReadonlySet<string> = new Set([
  ...['ConsoleSize', 'CgroupnsMode', 'MaskedPaths', 'ReadonlyPaths', 'KernelMemory', 'KernelMemoryTCP'],
  ...['CgroupParent', 'Isolation', 'Runtime', 'PortBindings', 'RestartPolicy'],
]);

function environmentOf(document: unknown): Plain {
  const entries = elements(document, 'Config', 'Env').map(String);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

/** Engines before 24 keep an empty policy as it was written. */
function restartPolicy(document: unknown): Plain {
  const policy = field(document, 'HostConfig', 'RestartPolicy');
  return { name: text(policy, 'Name') || 'no', attempts: plain(field(policy, 'MaximumRetryCount')) };
}

function bindSource(mount: unknown): Readonly<Record<string, Plain>> {
  return field(mount, 'Type') === 'bind' ? { source: text(mount, 'Source') } : {};
}

/** "8000/tcp" to the addresses that lead there; of a random port only that there is one. */
function portsOf(document: unknown): Plain {
  const asked = field(document, 'HostConfig', 'PortBindings');
  const bound = Object.entries(field(document, 'NetworkSettings', 'Ports') ?? {});
  return Object.fromEntries(
    bound.map(([port, bindings]) => {
      const isRandom = ['', '0', undefined].some((value) => value === field(asked, port, 0, 'HostPort'));
      const rows = Array.isArray(bindings) ? (bindings as unknown[]) : [];
      const places = rows.map((row) => `${text(row, 'HostIp')} ${isRandom ? 'random' : text(row, 'HostPort')}`);
      return [port.replace('/', ' '), places.sort()];
    }),
  );
}

function picked(document: unknown, keys: readonly string[]): Readonly<Record<string, Plain>> {
  const members = keys.map((key) => [key, sortedIfUnordered(key, plain(field(document, key)))] as const);
  return Object.fromEntries(members.filter(([, value]) => !isEmpty(value)));
}

/** Compose writes most lists in any order; that of a command matters. */
function sortedIfUnordered(key: string, value: Plain): Plain {
  if (key === 'com.docker.compose.depends_on')
    return typeof value === 'string' ? value.split(',').sort().join() : value;
  if (key === 'Labels' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([label, text]) => [label, sortedIfUnordered(label, text)]));
  }
  if (!Array.isArray(value) || ordered.has(key)) return value;
  // The id of an anonymous volume would give it another place each time.
  const place = (item: Plain): string => JSON.stringify(item).replace(/[0-9a-f]{64}/g, '');
  return (value as readonly Plain[])
    .map((item) => ({ item, text: place(item) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ item }) => item);
}

const ordered: ReadonlySet<string> = new Set(['Cmd', 'Entrypoint']);

function sortedTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? [...new Set((value as unknown[]).map(String))].sort() : [];
}

/** Absent, null and empty are one: which of them is written depends on the engine's release. */
function withoutEmpty(value: Plain, leftOut: ReadonlySet<string>): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([key, member]) => !leftOut.has(key) && !isEmpty(member));
  return Object.fromEntries(kept.map(([key, member]) => [key, sortedIfUnordered(key, member)]));
}

function isEmpty(value: Plain): boolean {
  if (value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function plain(value: unknown): Plain {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Plain);
}
