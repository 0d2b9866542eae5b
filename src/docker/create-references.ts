// The containers, networks and volumes that a create body names. They decide where the container can run, and
// must be spelled as its engine knows them (`node/web` is `web` there).
import {
  changeGoMember,
  goMember,
  isWireObject,
  listMember,
  mapMember,
  textListMember,
  textMember,
} from './go-member.ts';
import { isBuiltinNetwork } from './predefined-networks.ts';
import type { CreateBody, WireObject } from './types.ts';

export interface CreateReferences {
  readonly image: string;
  /** Containers of `--volumes-from`. */
  readonly volumesFrom: readonly string[];
  /** Containers of `--link`, also of those written at a network. */
  readonly links: readonly string[];
  /** As written; "default" when absent. */
  readonly networkMode: string;
  /** The container of `--network container:x`. */
  readonly networkContainer: string | undefined;
  readonly ipcContainer: string | undefined;
  readonly pidContainer: string | undefined;
  /** User-defined networks by name or id, each once; the engine's own ones (bridge, host, none) are left out. */
  readonly networks: readonly string[];
  /** Named volumes of binds and mounts, each once; anonymous ones and host paths are left out. */
  readonly volumes: readonly string[];
  /** Containers with which it must share an engine. Links count on the default bridge alone: a network has names of its own. */
  readonly neighbours: readonly string[];
}

export type ReferenceKind = 'container' | 'network' | 'volume';

/** The spelling to write instead of `reference`. */
export type ReferenceMap = (kind: ReferenceKind, reference: string) => string;

const containerMode = 'container:';

export function createReferences(body: CreateBody): CreateReferences {
  const host = goMember(body, 'HostConfig');
  const networkMode = textMember(host, 'NetworkMode') || 'default';
  const volumesFrom = textListMember(host, 'VolumesFrom').map(beforeColon);
  const links = [...textListMember(host, 'Links'), ...endpointLinks(body)].map(beforeColon);
  const networkContainer = afterContainer(networkMode);
  const ipcContainer = afterContainer(textMember(host, 'IpcMode'));
  const pidContainer = afterContainer(textMember(host, 'PidMode'));
  const networks = networksOf(body, networkMode);
  const bridgeLinks = networks.length === 0 ? links : [];
  const beside = [...volumesFrom, ...bridgeLinks, networkContainer, ipcContainer, pidContainer];
  return {
    image: textMember(body, 'Image'),
    volumesFrom,
    links,
    networkMode,
    networkContainer,
    ipcContainer,
    pidContainer,
    networks,
    volumes: volumesOf(host),
    neighbours: unique(beside.filter((reference) => reference !== undefined)),
  };
}

/** The network is one that every engine has: not a user-defined one, not another container's. */
function isOwnNetwork(networkMode: string): boolean {
  return networkMode === '' || isBuiltinNetwork(networkMode);
}

/** `body` with every reference spelled as `map` says; all other members stay as they are. */
export function rewriteReferences(body: CreateBody, map: ReferenceMap): CreateBody {
  const withHost = changeGoMember(body, 'HostConfig', (host) => (isWireObject(host) ? rewriteHost(host, map) : host));
  return changeGoMember(withHost, 'NetworkingConfig', (config) =>
    isWireObject(config) ? changeGoMember(config, 'EndpointsConfig', (value) => rewriteEndpoints(value, map)) : config,
  );
}

function rewriteHost(host: WireObject, map: ReferenceMap): WireObject {
  const container = (text: unknown): unknown => rewriteHead(text, (head) => map('container', head));
  const mode = (text: unknown): unknown => rewriteMode(text, map);
  const rewriters: readonly (readonly [string, (value: unknown) => unknown])[] = [
    ['VolumesFrom', (value) => mapList(value, container)],
    ['Links', (value) => mapList(value, container)],
    ['Binds', (value) => mapList(value, (bind) => rewriteBind(bind, map))],
    ['Mounts', (value) => mapList(value, (mount) => rewriteMount(mount, map))],
    ['IpcMode', mode],
    ['PidMode', mode],
    ['NetworkMode', (value) => rewriteNetworkMode(value, map)],
  ];
  return rewriters.reduce((result, [name, rewrite]) => changeGoMember(result, name, rewrite), host);
}

function rewriteEndpoints(endpoints: unknown, map: ReferenceMap): unknown {
  if (!isWireObject(endpoints)) return endpoints;
  const entries = Object.entries(endpoints).map(([network, settings]) => {
    const name = isOwnNetwork(network) ? network : map('network', network);
    return [name, isWireObject(settings) ? rewriteEndpoint(settings, map) : settings] as const;
  });
  return Object.fromEntries(entries);
}

function rewriteEndpoint(settings: WireObject, map: ReferenceMap): WireObject {
  const withId = changeGoMember(settings, 'NetworkID', (id) =>
    typeof id === 'string' && !isOwnNetwork(id) ? map('network', id) : id,
  );
  const link = (text: unknown): unknown => rewriteHead(text, (head) => map('container', head));
  return changeGoMember(withId, 'Links', (links) => mapList(links, link));
}

function rewriteNetworkMode(mode: unknown, map: ReferenceMap): unknown {
  if (typeof mode !== 'string' || isOwnNetwork(mode)) return mode;
  return mode.startsWith(containerMode) ? rewriteMode(mode, map) : map('network', mode);
}

function rewriteMode(mode: unknown, map: ReferenceMap): unknown {
  const container = typeof mode === 'string' ? afterContainer(mode) : undefined;
  return container === undefined ? mode : `${containerMode}${map('container', container)}`;
}

function rewriteBind(bind: unknown, map: ReferenceMap): unknown {
  if (typeof bind !== 'string' || bindVolume(bind) === undefined) return bind;
  return rewriteHead(bind, (head) => map('volume', head));
}

function rewriteMount(mount: unknown, map: ReferenceMap): unknown {
  if (!isWireObject(mount) || mountVolume(mount) === undefined) return mount;
  return changeGoMember(mount, 'Source', (source) => (typeof source === 'string' ? map('volume', source) : source));
}

function rewriteHead(text: unknown, rewrite: (head: string) => string): unknown {
  if (typeof text !== 'string') return text;
  const head = beforeColon(text);
  return head === '' ? text : `${rewrite(head)}${text.slice(head.length)}`;
}

function mapList(value: unknown, rewrite: (item: unknown) => unknown): unknown {
  return Array.isArray(value) ? value.map(rewrite) : value;
}

function networksOf(body: CreateBody, networkMode: string): readonly string[] {
  if (networkMode.startsWith(containerMode)) return [];
  const endpoints = mapMember(goMember(body, 'NetworkingConfig'), 'EndpointsConfig');
  const named = Object.entries(endpoints).map(([name, settings]) => textMember(settings, 'NetworkID') || name);
  return unique([networkMode, ...named].filter((network) => !isOwnNetwork(network)));
}

function endpointLinks(body: CreateBody): readonly string[] {
  const endpoints = mapMember(goMember(body, 'NetworkingConfig'), 'EndpointsConfig');
  return Object.values(endpoints).flatMap((settings) => textListMember(settings, 'Links'));
}

function volumesOf(host: unknown): readonly string[] {
  const bound = textListMember(host, 'Binds').map(bindVolume);
  const mounted = listMember(host, 'Mounts').map(mountVolume);
  return unique([...bound, ...mounted].filter((name) => name !== undefined));
}

/** The volume of "name:/path[:options]"; undefined for a host path and for "/path" alone, which is an anonymous volume. */
function bindVolume(bind: string): string | undefined {
  if (/^(?:[/~.\\]|[A-Za-z]:[\\/])/.test(bind) || !bind.includes(':')) return undefined;
  return beforeColon(bind) || undefined;
}

function mountVolume(mount: unknown): string | undefined {
  if (textMember(mount, 'Type').toLowerCase() !== 'volume') return undefined;
  return textMember(mount, 'Source') || undefined;
}

function afterContainer(mode: string): string | undefined {
  return mode.startsWith(containerMode) ? mode.slice(containerMode.length) : undefined;
}

function beforeColon(text: string): string {
  const colon = text.indexOf(':');
  return colon === -1 ? text : text.slice(0, colon);
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}
