// From the text a user types to the place where engines are found: the list of schemes, and what each accepts.
import { badRequest } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend } from './backend.ts';
import { ConsulBackend, type ConsulBackendOptions } from './consul.ts';
import { ConsulLeaderStore } from './consul/leader-store.ts';
import { EmbeddedClient } from './embedded-client.ts';
import { parseAddressList, parseHostPort } from './entry.ts';
import type { HostPort } from './entry.ts';
import { EtcdBackend } from './etcd.ts';
import { FileBackend } from './file.ts';
import type { LeaderStore } from './leadership.ts';
import { StaticBackend } from './static.ts';
import { ZooKeeperBackend } from './zookeeper.ts';

/** Agents write to a store, managers and listings read from it; a bare HOST:PORT is a manager only to an agent. */
export type DiscoveryRole = 'agent' | 'manager' | 'list';

export interface OpenDiscoveryOptions {
  readonly role: DiscoveryRole;
  readonly logger: Logger;
  /** The `--discovery-opt` pairs; one that does not exist is refused by name. */
  readonly discoveryOpts?: Readonly<Record<string, string>>;
}

/** The names that `--discovery-opt` accepts. */
const discoveryOptionNames: readonly string[] = [
  'kv.path',
  'kv.cacertfile',
  'kv.certfile',
  'kv.keyfile',
  'consul.token',
  'consul.tokenfile',
  'etcd.auth',
  'etcd.authfile',
  'zk.auth',
  'zk.authfile',
];

/**
 * The backend that `uri` names. Throws a 400 of one line when the scheme, the addresses or an option are no good, or
 * when an agent is to join what cannot be joined.
 */
export function openDiscovery(uri: string, options: OpenDiscoveryOptions): DiscoveryBackend {
  checkOptionNames(options.discoveryOpts ?? {});
  const { scheme, rest } = splitUri(uri.trim(), options.role);
  const open = schemes.get(scheme);
  if (!open) throw unknownScheme(scheme);
  return open(rest, options);
}

/**
 * The store of the election among the managers that find their engines at `uri`. Throws a 400 of one line when that has
 * none, and as `openDiscovery`.
 */
export function openLeaderStore(uri: string | undefined, options: Omit<OpenDiscoveryOptions, 'role'>): LeaderStore {
  const { scheme, rest } = splitUri((uri ?? '').trim(), 'manager');
  if (scheme !== 'consul')
    throw badRequest('--replication needs a store that all managers share: consul://HOST:PORT/PREFIX');
  const { prefix, ...connection } = consulOptions(rest, options);
  return new ConsulLeaderStore({ ...connection, key: `${prefix}/leader` });
}

type Factory = (rest: string, options: OpenDiscoveryOptions) => DiscoveryBackend;

const schemes: ReadonlyMap<string, Factory> = new Map<string, Factory>([
  ['consul', openConsul],
  ['embedded', openEmbedded],
  ['file', openFile],
  ['nodes', openNodes],
  ['etcd', openEtcd],
  ['zk', openZooKeeper],
]);

const accepted =
  'consul://HOST:PORT/PREFIX, etcd://HOST:PORT/PREFIX, zk://HOST:PORT/PATH, embedded://HOST:PORT, file://PATH, ' +
  'nodes://HOST:PORT,HOST:PORT';

function splitUri(uri: string, role: DiscoveryRole): { readonly scheme: string; readonly rest: string } {
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(uri);
  if (!parts) return { scheme: role === 'agent' ? 'embedded' : 'nodes', rest: uri };
  const [, scheme = '', rest = ''] = parts;
  return { scheme: scheme.toLowerCase(), rest };
}

function openConsul(rest: string, options: OpenDiscoveryOptions): DiscoveryBackend {
  return new ConsulBackend(consulOptions(rest, options));
}

/** What connects to the Consul that `uri` names; undefined where it names something else. Throws as `openDiscovery`. */
export function consulOptionsOf(uri: string, options: OpenDiscoveryOptions): ConsulBackendOptions | undefined {
  const { scheme, rest } = splitUri(uri.trim(), options.role);
  return scheme === 'consul' ? consulOptions(rest, options) : undefined;
}

function consulOptions(
  rest: string,
  { discoveryOpts = {}, logger }: Omit<OpenDiscoveryOptions, 'role'>,
): ConsulBackendOptions {
  const { servers, path } = splitServers(rest, 'consul');
  const prefix = [path, discoveryOpts['kv.path'] ?? ''].map(trimSlashes).filter((part) => part !== '');
  return {
    servers,
    prefix: prefix.length === 0 ? 'shoal' : prefix.join('/'),
    classicFolder: nodesFolder(path, discoveryOpts),
    token: discoveryOpts['consul.token'],
    tokenFile: discoveryOpts['consul.tokenfile'],
    tls: tlsFiles(discoveryOpts),
    logger,
  };
}

function openEtcd(rest: string, { discoveryOpts = {}, logger }: OpenDiscoveryOptions): DiscoveryBackend {
  const { servers, path } = splitServers(rest, 'etcd');
  const credentials = { text: discoveryOpts['etcd.auth'], file: discoveryOpts['etcd.authfile'] };
  return new EtcdBackend({
    servers,
    folder: nodesFolder(path, discoveryOpts),
    credentials,
    tls: tlsFiles(discoveryOpts),
    logger,
  });
}

function openZooKeeper(rest: string, { discoveryOpts = {}, logger }: OpenDiscoveryOptions): DiscoveryBackend {
  const { servers, path } = splitServers(rest, 'zk');
  const credentials = { text: discoveryOpts['zk.auth'], file: discoveryOpts['zk.authfile'] };
  return new ZooKeeperBackend({
    servers,
    folder: nodesFolder(path, discoveryOpts),
    credentials,
    tls: tlsFiles(discoveryOpts),
    logger,
  });
}

/** `HOST:PORT[,HOST:PORT][/PATH]` */
function splitServers(
  rest: string,
  scheme: string,
): { readonly servers: readonly [HostPort, ...HostPort[]]; readonly path: string } {
  const slash = rest.indexOf('/');
  const list = slash === -1 ? rest : rest.slice(0, slash);
  const [first, ...others] = list.split(',').map((server) => parseHostPort(server));
  if (!first) throw badRequest(`${scheme} discovery needs a server: ${scheme}://HOST:PORT/PREFIX`);
  return { servers: [first, ...others], path: slash === -1 ? '' : rest.slice(slash + 1) };
}

function openEmbedded(rest: string, { discoveryOpts = {}, logger }: OpenDiscoveryOptions): DiscoveryBackend {
  return new EmbeddedClient({ manager: parseHostPort(rest), tls: tlsFiles(discoveryOpts), logger });
}

function openFile(rest: string, { role, logger }: OpenDiscoveryOptions): DiscoveryBackend {
  if (role === 'agent') throw cannotJoin('file://');
  if (rest === '') throw badRequest('file discovery needs a path: file://PATH');
  return new FileBackend({ path: rest, logger });
}

function openNodes(rest: string, { role }: OpenDiscoveryOptions): DiscoveryBackend {
  if (role === 'agent') throw cannotJoin('nodes://');
  return new StaticBackend(parseAddressList(rest));
}

/** Where classicswarm kept the engines of a store: a key or node for each, named by its address. */
function nodesFolder(path: string, discoveryOpts: Readonly<Record<string, string>>): string {
  const folders = [path, discoveryOpts['kv.path'] ?? 'docker/swarm/nodes'].map(trimSlashes);
  return folders.filter((part) => part !== '').join('/');
}

function tlsFiles(opts: Readonly<Record<string, string>>): {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
} {
  return { caFile: opts['kv.cacertfile'], certFile: opts['kv.certfile'], keyFile: opts['kv.keyfile'] };
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

function checkOptionNames(opts: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(opts).find((name) => !discoveryOptionNames.includes(name));
  if (unknown === undefined) return;
  throw badRequest(`unknown discovery option ${JSON.stringify(unknown)}: ${discoveryOptionNames.join(', ')} exist`);
}

function cannotJoin(scheme: string): Error {
  return badRequest(`an agent cannot join ${scheme}: use consul://, etcd://, zk:// or the manager's HOST:PORT`);
}

function unknownScheme(scheme: string): Error {
  return badRequest(`unknown discovery scheme ${JSON.stringify(scheme)}: ${accepted} are accepted`);
}
