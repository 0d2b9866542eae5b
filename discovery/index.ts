// From the text a user types to the place where engines are found: the list of schemes, and what each accepts.
import { badRequest } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend } from './backend.ts';
import { ConsulBackend } from './consul.ts';
import type { ConsulConnection } from './consul/connection.ts';
import { ConsulKeyStore } from './consul/key-store.ts';
import { EmbeddedClient } from './embedded-client.ts';
import { parseAddressList, parseHostPort } from './entry.ts';
import type { HostPort } from './entry.ts';
import { EtcdBackend } from './etcd.ts';
import type { EtcdConnection } from './etcd/gateway.ts';
import { EtcdKeyStore } from './etcd/key-store.ts';
import { FileBackend } from './file.ts';
import type { KeyStore } from './key-store.ts';
import { LeaderKey } from './leader-key.ts';
import type { LeaderStore } from './leadership.ts';
import { StaticBackend } from './static.ts';
import { ZooKeeperBackend } from './zookeeper.ts';
import { ZooKeeperKeyStore } from './zookeeper/key-store.ts';
import type { ZooKeeperConnection } from './zookeeper/session.ts';

/** Agents write to a store, managers and listings read from it; a bare HOST:PORT is a manager only to an agent. */
export type DiscoveryRole = 'agent' | 'manager' | 'list';

type DiscoveryOpts = Readonly<Record<string, string>>;

export interface OpenDiscoveryOptions {
  readonly role: DiscoveryRole;
  readonly logger: Logger;
  /** The `--discovery-opt` pairs; one that does not exist is refused by name. */
  readonly discoveryOpts?: DiscoveryOpts;
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

/** Keys that all managers share which find their engines at one place, and the prefix of what belongs to them. */
export interface SharedKeys {
  readonly store: KeyStore;
  readonly prefix: string;
}

/** Undefined where the store of the discovery keeps no keys for managers. Throws as `openDiscovery`. */
export function openSharedKeys(uri: string, options: Omit<OpenDiscoveryOptions, 'role'>): SharedKeys | undefined {
  const { scheme, rest } = splitUri(uri.trim(), 'manager');
  const open = keyStores.get(scheme);
  if (open === undefined) return undefined;
  const { servers, path } = splitServers(rest, scheme);
  const { discoveryOpts = {} } = options;
  return { store: open(servers, discoveryOpts), prefix: keysPrefix(path, discoveryOpts) };
}

/**
 * The store of the election among the managers that find their engines at `uri`. Throws a 400 of one line when that has
 * none, and as `openDiscovery`.
 */
export function openLeaderStore(uri: string | undefined, options: Omit<OpenDiscoveryOptions, 'role'>): LeaderStore {
  const keys = openSharedKeys(uri ?? '', options);
  if (keys === undefined) {
    throw badRequest(
      '--replication needs a store that all managers share: consul://, etcd:// or zk://HOST:PORT/PREFIX',
    );
  }
  return new LeaderKey(keys.store, `${keys.prefix}/leader`);
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

type Servers = readonly [HostPort, ...HostPort[]];

type KeyStoreFactory = (servers: Servers, opts: DiscoveryOpts) => KeyStore;

const keyStores: ReadonlyMap<string, KeyStoreFactory> = new Map<string, KeyStoreFactory>([
  ['consul', (servers, opts) => new ConsulKeyStore(consulConnection(servers, opts))],
  ['etcd', (servers, opts) => new EtcdKeyStore(etcdConnection(servers, opts))],
  ['zk', (servers, opts) => new ZooKeeperKeyStore(zooKeeperConnection(servers, opts))],
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

function openConsul(rest: string, { discoveryOpts = {}, logger }: OpenDiscoveryOptions): DiscoveryBackend {
  const { servers, path } = splitServers(rest, 'consul');
  return new ConsulBackend({
    ...consulConnection(servers, discoveryOpts),
    prefix: keysPrefix(path, discoveryOpts),
    classicFolder: nodesFolder(path, discoveryOpts),
    logger,
  });
}

function consulConnection(servers: Servers, opts: DiscoveryOpts): ConsulConnection {
  return { servers, token: opts['consul.token'], tokenFile: opts['consul.tokenfile'], tls: tlsFiles(opts) };
}

function openEtcd(rest: string, { discoveryOpts = {}, logger }: OpenDiscoveryOptions): DiscoveryBackend {
  const { servers, path } = splitServers(rest, 'etcd');
  const folder = nodesFolder(path, discoveryOpts);
  return new EtcdBackend({ ...etcdConnection(servers, discoveryOpts), folder, logger });
}

function etcdConnection(servers: Servers, opts: DiscoveryOpts): EtcdConnection {
  return { servers, credentials: { text: opts['etcd.auth'], file: opts['etcd.authfile'] }, tls: tlsFiles(opts) };
}

function openZooKeeper(rest: string, { discoveryOpts = {}, logger }: OpenDiscoveryOptions): DiscoveryBackend {
  const { servers, path } = splitServers(rest, 'zk');
  const folder = nodesFolder(path, discoveryOpts);
  return new ZooKeeperBackend({ ...zooKeeperConnection(servers, discoveryOpts), folder, logger });
}

function zooKeeperConnection(servers: Servers, opts: DiscoveryOpts): ZooKeeperConnection {
  return { servers, credentials: { text: opts['zk.auth'], file: opts['zk.authfile'] }, tls: tlsFiles(opts) };
}

/** `HOST:PORT[,HOST:PORT][/PATH]` */
function splitServers(rest: string, scheme: string): { readonly servers: Servers; readonly path: string } {
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

/** Of all that a cluster keeps in a store by names of our own. */
function keysPrefix(path: string, opts: DiscoveryOpts): string {
  const parts = [path, opts['kv.path'] ?? ''].map(trimSlashes).filter((part) => part !== '');
  return parts.length === 0 ? 'shoal' : parts.join('/');
}

/** Where classicswarm kept the engines of a store: a key or node for each, named by its address. */
function nodesFolder(path: string, discoveryOpts: DiscoveryOpts): string {
  const folders = [path, discoveryOpts['kv.path'] ?? 'docker/swarm/nodes'].map(trimSlashes);
  return folders.filter((part) => part !== '').join('/');
}

function tlsFiles(opts: DiscoveryOpts): {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
} {
  return { caFile: opts['kv.cacertfile'], certFile: opts['kv.certfile'], keyFile: opts['kv.keyfile'] };
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

function checkOptionNames(opts: DiscoveryOpts): void {
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
