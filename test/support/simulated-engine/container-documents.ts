// The two pictures of a container that clients see: the list row and the inspect document. Both are kept as text until
// the container changes, so that a thousand engines can answer from one process.
import { formatSpan } from '../../../src/docker/units.ts';
import { isAtLeast } from './api-version.ts';
import { isRunning } from './container-lifecycle.ts';
import { timeText, toSeconds } from './engine-state.ts';
import type { EngineState } from './engine-state.ts';
import { objectAt, textAt, textMapAt, textsAt } from './json.ts';
import type { JsonObject } from './json.ts';
import type { ContainerRecord, Endpoint, PublishedPort } from './records.ts';

/** The row of `GET /containers/json` as JSON text. */
export function listRowText(state: EngineState, container: ContainerRecord): string {
  container.texts.row ??= splitAtStatus(JSON.stringify({ ...listRow(state, container), Status: '' }));
  return container.texts.row.join(statusText(state, container));
}

/** The status ages and all else does not. */
function splitAtStatus(text: string): readonly [string, string] {
  const at = text.indexOf('"', text.indexOf(',"Status":"",') + ',"Status":'.length) + 1;
  return [text.slice(0, at), text.slice(at)];
}

/** The bytes of the inspect document, with the line end that dockerd sends. */
export function inspectJson(state: EngineState, container: ContainerRecord, apiVersion: string): Buffer {
  const kept = container.texts.inspect;
  if (kept?.apiVersion === apiVersion && !hasExecs(state)) return kept.json;
  const json = Buffer.from(`${JSON.stringify(inspectDocument(state, container, apiVersion))}\n`);
  if (!hasExecs(state)) container.texts.inspect = { apiVersion, json };
  return json;
}

/** These come and go in the document while the container itself stays as it is. */
function hasExecs(state: EngineState): boolean {
  return state.execs.size > 0;
}

/** The same row with the sizes that `size=1` asks for. */
export function listRowWithSize(state: EngineState, container: ContainerRecord): JsonObject {
  return { ...listRow(state, container), SizeRw: 12_288, SizeRootFs: 4_273_790 };
}

/** The document of `GET /containers/{id}/json`; `apiVersion` is the request's. */
export function inspectDocument(state: EngineState, container: ContainerRecord, apiVersion: string): JsonObject {
  const folder = `/var/lib/docker/containers/${container.id}`;
  return {
    Id: container.id,
    Created: timeText(container.createdNano),
    Path: container.command[0] ?? '',
    Args: container.command.slice(1),
    State: stateDocument(container),
    Image: container.imageId,
    ResolvConfPath: `${folder}/resolv.conf`,
    HostnamePath: `${folder}/hostname`,
    HostsPath: `${folder}/hosts`,
    LogPath: `${folder}/${container.id}-json.log`,
    Name: `/${container.name}`,
    RestartCount: container.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: 'docker-default',
    ExecIDs: execIds(state, container),
    HostConfig: hostConfigDocument(container),
    GraphDriver: { Data: overlayFolders(container), Name: 'overlay2' },
    Mounts: container.mounts,
    Config: configDocument(container),
    NetworkSettings: networkSettingsDocument(state, container, apiVersion),
  };
}

function overlayFolders(container: ContainerRecord): JsonObject {
  const layer = (name: string): string => `/var/lib/docker/overlay2/${name}`;
  const own = layer(container.id);
  const lower = ['a', 'b', 'c', 'd'].map((digit) => `${layer(digit.repeat(64))}/diff`);
  return {
    LowerDir: [`${own}-init/diff`, ...lower].join(':'),
    MergedDir: `${own}/merged`,
    UpperDir: `${own}/diff`,
    WorkDir: `${own}/work`,
  };
}

function listRow(state: EngineState, container: ContainerRecord): JsonObject {
  const hostConfig = objectAt(container.body, 'HostConfig');
  const annotations = textMapAt(hostConfig, 'Annotations');
  const hasAnnotations = isAtLeast(state.settings.apiVersion, '1.46') && Object.keys(annotations).length > 0;
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: listedImage(state, container),
    ImageID: container.imageId,
    Command: container.command.join(' '),
    Created: toSeconds(container.createdNano),
    Ports: container.ports.map(portRow),
    Labels: container.labels,
    State: container.status,
    Status: statusText(state, container),
    HostConfig: { NetworkMode: networkMode(container), ...(hasAnnotations && { Annotations: annotations }) },
    NetworkSettings: { Networks: endpointDocuments(state, container, state.settings.apiVersion) },
    Mounts: container.mounts,
    ...(isAtLeast(state.settings.apiVersion, '1.52') && { Health: { Status: 'none', FailingStreak: 0 } }),
  };
}

/** The engine shows an image's id in place of a reference that it knows no more. */
function listedImage(state: EngineState, container: ContainerRecord): string {
  const current = state.findImage(container.imageReference);
  return current?.id === container.imageId ? container.imageReference : container.imageId;
}

function portRow(port: PublishedPort): JsonObject {
  if (port.publicPort === undefined) return { PrivatePort: port.privatePort, Type: port.type };
  return { IP: port.hostIp ?? '', PrivatePort: port.privatePort, PublicPort: port.publicPort, Type: port.type };
}

function statusText(state: EngineState, container: ContainerRecord): string {
  const now = state.journal.nowNano();
  if (container.status === 'created') return 'Created';
  if (container.status === 'exited') {
    return `Exited (${container.exitCode}) ${ageText(now - container.finishedNano)} ago`;
  }
  const up = `Up ${ageText(now - container.startedNano)}`;
  return container.status === 'paused' ? `${up} (Paused)` : up;
}

function ageText(nano: bigint): string {
  return formatSpan(Number(nano / 1_000_000n));
}

function networkMode(container: ContainerRecord): string {
  return textAt(objectAt(container.body, 'HostConfig'), 'NetworkMode') || 'default';
}

function stateDocument(container: ContainerRecord): JsonObject {
  return {
    Status: container.status,
    Running: isRunning(container),
    Paused: container.status === 'paused',
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: container.pid,
    ExitCode: container.exitCode,
    Error: '',
    StartedAt: timeText(container.startedNano),
    FinishedAt: timeText(container.finishedNano),
  };
}

function execIds(state: EngineState, container: ContainerRecord): readonly string[] | null {
  const own = [...state.execs.values()].filter(
    (exec) => exec.containerId === container.id && exec.status === 'running',
  );
  return own.length === 0 ? null : own.map(({ id }) => id);
}

function hostConfigDocument(container: ContainerRecord): JsonObject {
  return {
    ...hostConfigDefaults,
    ...objectAt(container.body, 'HostConfig'),
    ...container.resources,
    NetworkMode: networkMode(container),
  };
}

function configDocument(container: ContainerRecord): JsonObject {
  const { body } = container;
  const own = Object.entries(body).filter(([key]) => key !== 'HostConfig' && key !== 'NetworkingConfig');
  const entrypoint = textsAt(body, 'Entrypoint');
  return {
    ...configDefaults,
    Hostname: container.id.slice(0, 12),
    ...Object.fromEntries(own),
    Env: container.env,
    Cmd: container.command.slice(entrypoint.length),
    Entrypoint: entrypoint.length === 0 ? null : entrypoint,
    Labels: container.labels,
  };
}

function networkSettingsDocument(state: EngineState, container: ContainerRecord, apiVersion: string): JsonObject {
  const bridge = container.endpoints.get('bridge');
  const legacy = {
    Bridge: '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.endpointId ?? '',
    Gateway: bridge?.ipAddress ? gatewayOf(state, bridge) : '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: bridge?.ipAddress ?? '',
    IPPrefixLen: bridge?.ipAddress ? 16 : 0,
    IPv6Gateway: '',
    MacAddress: bridge?.ipAddress ? macAddressOf(bridge.ipAddress) : '',
  };
  return {
    SandboxID: isRunning(container) ? container.id : '',
    SandboxKey: isRunning(container) ? `/var/run/docker/netns/${container.id.slice(0, 12)}` : '',
    Ports: portMap(container),
    ...(isAtLeast(apiVersion, '1.52') ? {} : legacy),
    Networks: endpointDocuments(state, container, apiVersion),
  };
}

function portMap(container: ContainerRecord): JsonObject {
  const ports: Record<string, JsonObject[] | null> = {};
  for (const { privatePort, type, publicPort, hostIp = '' } of container.ports) {
    const key = `${privatePort}/${type}`;
    const binding = publicPort === undefined ? [] : [{ HostIp: hostIp, HostPort: String(publicPort) }];
    const bindings = [...(ports[key] ?? []), ...binding];
    ports[key] = bindings.length === 0 ? null : bindings;
  }
  return ports;
}

function endpointDocuments(state: EngineState, container: ContainerRecord, apiVersion: string): JsonObject {
  const documents: Record<string, JsonObject> = {};
  for (const [name, endpoint] of container.endpoints) {
    documents[name] = endpointDocument(state, container, endpoint, apiVersion);
  }
  return documents;
}

function endpointDocument(
  state: EngineState,
  container: ContainerRecord,
  endpoint: Endpoint,
  apiVersion: string,
): JsonObject {
  const { config, ipAddress } = endpoint;
  const engineVersion = state.settings.apiVersion;
  const isUserDefined = !['bridge', 'host', 'none'].includes(state.networks.get(endpoint.networkId)?.name ?? '');
  const shortId = isUserDefined && !isAtLeast(apiVersion, '1.45') ? [container.id.slice(0, 12)] : [];
  const aliases = [...textsAt(config, 'Aliases'), ...shortId];
  const dnsNames = isUserDefined ? [container.name, ...textsAt(config, 'Aliases'), container.id.slice(0, 12)] : null;
  return {
    IPAMConfig: config['IPAMConfig'] ?? null,
    Links: config['Links'] ?? null,
    Aliases: aliases.length === 0 ? null : aliases,
    MacAddress: ipAddress === '' ? '' : macAddressOf(ipAddress),
    DriverOpts: config['DriverOpts'] ?? null,
    ...(isAtLeast(engineVersion, '1.48') && { GwPriority: config['GwPriority'] ?? 0 }),
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.endpointId,
    Gateway: ipAddress === '' ? '' : gatewayOf(state, endpoint),
    IPAddress: ipAddress,
    IPPrefixLen: ipAddress === '' ? 0 : 16,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    ...(isAtLeast(engineVersion, '1.44') && { DNSNames: dnsNames }),
  };
}

function gatewayOf(state: EngineState, endpoint: Endpoint): string {
  const subnet = state.networks.get(endpoint.networkId)?.subnet ?? '';
  return subnet === '' ? '' : subnet.replace(/\.\d+\/\d+$/, '.1');
}

export function macAddressOf(ipAddress: string): string {
  const bytes = ipAddress.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}

const configDefaults: JsonObject = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: [],
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: {},
};

const hostConfigDefaults: JsonObject = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: 'json-file', Config: {} },
  NetworkMode: 'default',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'private',
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 67_108_864,
  Runtime: 'runc',
  ConsoleSize: [0, 0],
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: [],
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: ['/proc/asound', '/proc/acpi', '/proc/kcore', '/proc/keys', '/sys/firmware'],
  ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
};
