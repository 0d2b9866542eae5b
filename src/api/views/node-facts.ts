// What the API tells of a node, gathered in one place for `info`, `version` and the node endpoints. The facts are
// kept per engine until something they are made of changes, so that a call's work does not grow with them.
import type { Cluster } from '../../cluster/cluster.ts';
import type { KnownSettings } from '../../cluster/nodes/node-settings.ts';
import type { NodeView } from '../../cluster/nodes/node-view.ts';
import type { NodeIdentity, SwarmState } from '../../cluster/locations.ts';
import type { EngineInfo, EngineVersion, ImageRow } from '../../docker/types.ts';
import type { Engine, EngineState } from '../../engine/engine.ts';
import type { Mirror } from '../../engine/mirror.ts';

export interface ContainerCounts {
  readonly running: number;
  readonly paused: number;
  readonly stopped: number;
}

export interface NodeFacts {
  readonly id: string;
  readonly name: string;
  /** host:port */
  readonly address: string;
  readonly host: string;
  /** The engine's own GET /info, once it has answered. */
  readonly info: EngineInfo | undefined;
  readonly images: readonly ImageRow[];
  /** Pending, Healthy, Unhealthy or Disconnected, as classicswarm says. */
  readonly status: string;
  readonly isHealthy: boolean;
  /** False while its agent is silent, which leaves an engine that answers healthy. */
  readonly isVouchedFor: boolean;
  readonly containers: ContainerCounts;
  readonly reservedNanoCpus: number;
  readonly totalNanoCpus: number;
  readonly reservedMemoryBytes: number;
  readonly totalMemoryBytes: number;
  readonly engineLabels: Readonly<Record<string, string>>;
  /** What operators have set. */
  readonly settings: KnownSettings | undefined;
  /** The engine's labels, those that operators have set, and the built-in facts that constraints may name. */
  readonly labels: Readonly<Record<string, string>>;
  readonly error: string | undefined;
  readonly updatedAt: Date | undefined;
  readonly serverVersion: string;
  /** Its part in swarm mode, with what is wrong about it; undefined where swarm mode is of no interest. */
  readonly swarm: SwarmState | undefined;
}

const statusTexts: Readonly<Record<EngineState, string>> = {
  pending: 'Pending',
  healthy: 'Healthy',
  unhealthy: 'Unhealthy',
  gone: 'Disconnected',
};

/** Facts of the node that are no labels but can be constrained on like them; classicswarm lists them as labels. */
const shownFacts = ['kernelversion', 'operatingsystem', 'ostype', 'storagedriver'];

/** Every member in the order of the names. */
export function nodeFacts(cluster: Cluster): NodeFacts[] {
  return cluster.members.engines.map((engine) => factsOf(cluster, engine));
}

/** A healthy engine's events keep its mirror current, however long ago its lists were read. */
export function dataAgeSeconds({ isHealthy, updatedAt }: NodeFacts, now: number): number {
  if (isHealthy || updatedAt === undefined) return 0;
  return Math.max(0, Math.round((now - updatedAt.getTime()) / 1000));
}

interface MadeFacts {
  readonly facts: NodeFacts;
  readonly version: EngineVersion | undefined;
  readonly mirrorRevision: number;
  readonly loadRevision: number | undefined;
  readonly announced: Engine['announced'];
}

const made = new WeakMap<Engine, MadeFacts>();

/** The same object as long as nothing has changed. */
function factsOf(cluster: Cluster, engine: Engine): NodeFacts {
  const node = cluster.members.nodeOf(engine);
  const swarm = cluster.swarmStateOf(engine);
  const known = made.get(engine);
  if (known !== undefined && isCurrent(known, engine, node) && isSameSwarm(known.facts.swarm, swarm))
    return known.facts;
  const facts = { ...makeFacts(engine, node, cluster.members.identityOf(engine)), swarm };
  made.set(engine, {
    facts,
    version: engine.version,
    mirrorRevision: engine.mirror.revision,
    loadRevision: node?.containersRevision,
    announced: engine.announced,
  });
  return facts;
}

/** Asked of every node by every call. */
function isCurrent(made: MadeFacts, engine: Engine, node: NodeView | undefined): boolean {
  const { facts } = made;
  return (
    made.mirrorRevision === engine.mirror.revision &&
    made.loadRevision === node?.containersRevision &&
    facts.updatedAt === engine.updatedAt &&
    facts.status === statusTexts[engine.state] &&
    facts.isVouchedFor === engine.isVouchedFor &&
    facts.settings === node?.settings &&
    facts.name === node?.name &&
    facts.id === node.id &&
    facts.info === engine.info &&
    made.version === engine.version &&
    made.announced === engine.announced &&
    (facts.isHealthy || facts.error === engine.lastError)
  );
}

function isSameSwarm(a: SwarmState | undefined, b: SwarmState | undefined): boolean {
  return a?.role === b?.role && a?.note === b?.note;
}

function makeFacts(engine: Engine, node: NodeView | undefined, { id, name }: NodeIdentity): Omit<NodeFacts, 'swarm'> {
  return {
    id,
    name,
    address: engine.address,
    host: engine.host,
    info: engine.info,
    images: engine.mirror.images,
    status: statusTexts[engine.state],
    isHealthy: engine.state === 'healthy',
    isVouchedFor: engine.isVouchedFor,
    containers: countContainers(engine.mirror),
    reservedNanoCpus: node?.reservedNanoCpus ?? 0,
    totalNanoCpus: node?.totalNanoCpus ?? 0,
    reservedMemoryBytes: node?.reservedMemoryBytes ?? 0,
    totalMemoryBytes: node?.totalMemoryBytes ?? 0,
    engineLabels: engine.labels,
    settings: node?.settings,
    labels: { ...selectFacts(node?.facts ?? {}), ...engine.labels, ...node?.settings.labels },
    error: engine.state === 'healthy' ? undefined : engine.lastError,
    updatedAt: engine.updatedAt,
    serverVersion: engine.version?.Version ?? engine.info?.ServerVersion ?? '',
  };
}

function selectFacts(facts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(facts).filter(([key]) => shownFacts.includes(key)));
}

function countContainers(mirror: Mirror): ContainerCounts {
  let running = 0;
  let paused = 0;
  for (const { row } of mirror.containers.values()) {
    // As in dockerd's own counts, a restarting container is one that runs.
    if (row.State === 'running' || row.State === 'restarting') running += 1;
    if (row.State === 'paused') paused += 1;
  }
  return { running, paused, stopped: mirror.containers.size - running - paused };
}
