// The answer of GET /info: sums over the nodes, what they have in common, and the table of nodes. It is made
// from what is known already, so it never fails and never waits because an engine is down.
import { isDeepStrictEqual } from 'node:util';
import { numberMember } from '../../docker/go-member.ts';
import type { EngineInfo, ImageRow } from '../../docker/types.ts';
import type { ApiSettings } from '../settings.ts';
import { infoFor } from './info-version.ts';
import type { NodeFacts } from './node-facts.ts';
import { nodeTableJson, type StatusRow } from './node-table.ts';
import { equivalentEngineVersion } from './version.ts';
import { nodeWarnings } from './node-warnings.ts';
import { madeOncePerList } from './same-list.ts';
import type { IdentityConflict } from '../../cluster/locations.ts';
import type { WaitingCreate } from '../../cluster/create/waiting-creates.ts';

export interface InfoFacts {
  /** The client's API version. */
  readonly version: string;
  readonly settings: ApiSettings;
  readonly nodes: readonly NodeFacts[];
  readonly conflicts: readonly IdentityConflict[];
  /** Creates that are held until a node can take them. */
  readonly waiting: readonly WaitingCreate[];
  /** One sentence for each node that is being emptied and keeps something. */
  readonly staying: readonly string[];
  /** How far a new network reaches. */
  readonly networks: string;
  readonly now: number;
}

/** The answer as JSON text. */
export function infoJson(facts: InfoFacts): Buffer {
  const mark = '"\\u0000table"';
  const text = JSON.stringify({
    ...infoFor(facts.version, toInfo(facts)),
    SystemStatus: [...statusHead(facts), ...waitingRows(facts), '\0table'],
  });
  const at = text.indexOf(mark);
  const [before, behind] = [text.slice(0, at), `${text.slice(at + mark.length)}\n`];
  return Buffer.concat([Buffer.from(before), ...nodeTableJson(facts.nodes, facts.now), Buffer.from(behind)]);
}

/** Without the rows of the nodes. */
function toInfo({ settings, nodes, conflicts, staying, now }: Omit<InfoFacts, 'version'>): Record<string, unknown> {
  const infos = knownInfos(nodes);
  return {
    ...displayed(infos),
    ID: `shoal-${settings.hostName}`,
    Name: settings.hostName,
    ServerVersion: equivalentEngineVersion,
    ...sums(nodes),
    SystemStatus: [],
    SystemTime: new Date(now).toISOString(),
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    Labels: [],
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registry(infos),
    Warnings: [...settings.warnings(), ...staying, ...nodeWarnings({ nodes, conflicts, now })],
  };
}

const registry = madeOncePerList((infos: readonly EngineInfo[]) => ({
  InsecureRegistryCIDRs: common(infos, insecureCidrs) ?? ['127.0.0.0/8'],
  IndexConfigs: common(infos, indexConfigs) ?? {},
  Mirrors: [],
}));

/** One engine's own GET /info per node that has ever answered; healthy ones where there are any. */
const knownInfos = madeOncePerList((nodes: readonly NodeFacts[]): readonly EngineInfo[] => {
  const healthy = nodes.filter((node) => node.isHealthy);
  return (healthy.length > 0 ? healthy : nodes).flatMap(({ info }) => (info === undefined ? [] : [info]));
});

function statusHead({ settings, networks }: InfoFacts): StatusRow[] {
  const { name, primary } = settings.role();
  return [
    ['Role', name],
    ...(primary === undefined ? [] : [['Primary', primary] as const]),
    ['Strategy', settings.strategy],
    ['Filters', settings.filters.join(', ')],
    ['Networks', networks],
  ];
}

const mostWaitingShown = 20;

/** None while nothing waits: programs count on the rows that classicswarm had. */
function waitingRows({ waiting, now }: InfoFacts): StatusRow[] {
  if (waiting.length === 0) return [];
  return [
    ['Waiting creates', String(waiting.length)],
    ...waiting.slice(0, mostWaitingShown).map(({ what, conditions, untilMs }): StatusRow => {
      const leftSeconds = Math.max(0, Math.ceil((untilMs - now) / 1000));
      return [`  └ ${what}`, `waits for ${conditions.join(', ')} (${leftSeconds}s left)`];
    }),
  ];
}

const sums = madeOncePerList((nodes: readonly NodeFacts[]): Readonly<Record<string, number>> => {
  let [running, paused, stopped, cpus, memoryBytes] = [0, 0, 0, 0, 0];
  let [files, routines, listeners] = [0, 0, 0];
  for (const { containers, isHealthy, info } of nodes) {
    running += containers.running;
    paused += containers.paused;
    stopped += containers.stopped;
    files += numberMember(info, 'NFd');
    routines += numberMember(info, 'NGoroutines');
    listeners += numberMember(info, 'NEventsListener');
    if (!isHealthy) continue;
    cpus += info?.NCPU ?? 0;
    memoryBytes += info?.MemTotal ?? 0;
  }
  return {
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: countImages(nodes.map(({ images }) => images)),
    NCPU: cpus,
    MemTotal: memoryBytes,
    NFd: files,
    NGoroutines: routines,
    NEventsListener: listeners,
  };
});

/** One that several nodes have counts once. */
const countImages = madeOncePerList((lists: readonly (readonly ImageRow[])[]) => {
  const ids = new Set<string>();
  for (const images of lists) for (const { Id } of images) ids.add(Id);
  return ids.size;
});

/** Texts for people: what all nodes agree on, else "mixed". */
const textFields = ['KernelVersion', 'OperatingSystem', 'OSVersion', 'InitBinary'];

/** Words that programs read: never made up; the first node's where the nodes differ. */
const machineFields = [
  'Driver',
  'DriverStatus',
  'Plugins',
  'LoggingDriver',
  'CgroupDriver',
  'CgroupVersion',
  'OSType',
  'Architecture',
  'Runtimes',
  'DefaultRuntime',
  'SecurityOptions',
  'Isolation',
  'ContainerdCommit',
  'RuncCommit',
  'InitCommit',
  'Containerd',
  'FirewallBackend',
  'CDISpecDirs',
];

/** Abilities that are claimed only when every node has them; engines of some versions do not speak of all of these. */
const abilityFields = [
  'MemoryLimit',
  'SwapLimit',
  'KernelMemory',
  'KernelMemoryTCP',
  'CpuCfsPeriod',
  'CpuCfsQuota',
  'CPUShares',
  'CPUSet',
  'PidsLimit',
  'IPv4Forwarding',
  'BridgeNfIptables',
  'BridgeNfIp6tables',
  'OomKillDisable',
  'ExperimentalBuild',
  'LiveRestoreEnabled',
];

const displayed = madeOncePerList((infos: readonly EngineInfo[]): Readonly<Record<string, unknown>> => {
  const fields: Record<string, unknown> = {
    Debug: false,
    GenericResources: null,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
  };
  const [first] = infos;
  for (const field of textFields)
    fields[field] = common(infos, (info) => info[field]) ?? (infos.length > 1 ? 'mixed' : '');
  for (const field of machineFields) {
    if (first?.[field] !== undefined) fields[field] = first[field];
  }
  for (const field of abilityFields) {
    const told = infos.map((info) => info[field]).filter((value) => value !== undefined);
    if (told.length > 0) fields[field] = told.every((value) => value === true);
  }
  return {
    OSType: 'linux',
    Architecture: '',
    Driver: '',
    CgroupDriver: '',
    Plugins: { Volume: [], Network: [], Authorization: null, Log: [] },
    SecurityOptions: [],
    ...fields,
    DriverStatus: driverStatus(infos),
    // Where the nodes differ there is no such directory.
    DockerRootDir: common(infos, (info) => info['DockerRootDir']) ?? '',
  };
});

/** buildx takes multi-platform and attestation support from this row, so it must hold wherever a build may land. */
function driverStatus(infos: readonly EngineInfo[]): readonly unknown[] {
  const row = ['driver-type', 'io.containerd.snapshotter.v1'];
  const usesSnapshotter = ({ DriverStatus: rows }: EngineInfo): boolean =>
    Array.isArray(rows) && rows.some((other) => isDeepStrictEqual(other, row));
  return infos.length > 0 && infos.every(usesSnapshotter) ? [row] : [];
}

/** The value that every node has; undefined when they differ or none has it. */
function common<T>(infos: readonly EngineInfo[], read: (info: EngineInfo) => T): T | undefined {
  const [first, ...others] = infos.map(read);
  return others.every((other) => other === first || isDeepStrictEqual(other, first)) ? first : undefined;
}

function registryField(info: EngineInfo, field: string): unknown {
  const config = info['RegistryConfig'];
  return typeof config === 'object' && config !== null
    ? (config as Readonly<Record<string, unknown>>)[field]
    : undefined;
}

function insecureCidrs(info: EngineInfo): unknown {
  return registryField(info, 'InsecureRegistryCIDRs');
}

function indexConfigs(info: EngineInfo): unknown {
  return registryField(info, 'IndexConfigs');
}
