// An engine as the scheduler sees it. The load is changed record by record as the mirror changes and reservation by
// reservation as creates are placed; everything else is read from the engine when asked.
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { ContainerChange, Node, NodeContainer, PublishedPort, ResourceDemand } from '../../scheduler/contracts.ts';
import { assignPorts } from '../../scheduler/filters/port.ts';
import { deviceDemands } from '../../scheduler/node-resources.ts';
import type { KeptOrders } from '../../scheduler/kept-orders.ts';
import type { CpuMode } from '../../scheduler/resource-demand.ts';
import type { Identities } from './identity.ts';
import type { ContainerIndex } from '../index/container-index.ts';
import type { ImageIndex } from '../index/image-index.ts';
import type { NetworkIndex } from '../index/network-index.ts';
import type { NodeIdentity } from '../locations.ts';
import { isAmong, NodeLoad } from './node-load.ts';
import type { LoadEntry } from './node-load.ts';
import { demandOf, readNodeFacts } from './node-facts.ts';
import type { NodeFacts } from './node-facts.ts';
import type { Availability, KnownSettings } from './node-settings.ts';
import { swarmIdLabel } from '../swarm-labels.ts';

/** A container that was created and never started keeps its ports from others for this long. */
const createdPortsHeldMs = 5 * 60_000;

/** Of the disk of images and containers; a node whose disk is as full takes no more of them. */
const fullDiskPercent = 90;

export interface NodeViewIndices {
  readonly identities: Identities;
  readonly containers: ContainerIndex;
  readonly images: ImageIndex;
  readonly networks: NetworkIndex;
  /** Told of every change of a view. */
  readonly orders: KeptOrders;
  readonly cpuMode: CpuMode;
  /** `all`: stopped containers keep what they asked for, as they did with docker/classicswarm. */
  readonly load: Load;
  readonly settingsOf: (nodeId: string) => KnownSettings;
}

/** Which containers count as load. */
export type Load = 'active' | 'all';

export class NodeView implements Node {
  readonly engine: Engine;
  readonly #indices: NodeViewIndices;
  readonly #load = new NodeLoad();
  #identity: { revision: number; value: NodeIdentity } | undefined;
  #facts: NodeFacts | undefined;

  constructor(engine: Engine, indices: NodeViewIndices) {
    this.engine = engine;
    this.#indices = indices;
  }

  get id(): string {
    return this.#identified().id;
  }

  get name(): string {
    return this.#identified().name;
  }

  get address(): string {
    return this.engine.address;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#known().labels;
  }

  get facts(): Readonly<Record<string, string>> {
    return this.#known().facts;
  }

  get apiVersion(): { readonly min: string; readonly max: string } {
    return this.engine.apiVersion;
  }

  get refusal(): string | undefined {
    if (this.engine.state === 'healthy') return unavailable[this.settings.availability] ?? this.#fullDisk;
    return this.engine.lastError === undefined ? this.engine.state : `${this.engine.state}: ${this.engine.lastError}`;
  }

  /** What operators have set on the node. */
  get settings(): KnownSettings {
    return this.#indices.settingsOf(this.id);
  }

  get totalNanoCpus(): number {
    return Math.max(0, this.#known().cpus * 1e9 - this.engine.announced.reservedNanoCpus);
  }

  get totalMemoryBytes(): number {
    return Math.max(0, this.#known().memoryBytes - this.engine.announced.reservedMemoryBytes);
  }

  get reservedNanoCpus(): number {
    return this.#load.nanoCpus;
  }

  get reservedMemoryBytes(): number {
    return this.#load.memoryBytes;
  }

  get activeContainers(): number {
    return this.#load.activeContainers;
  }

  get containersRevision(): number {
    return this.#load.revision;
  }

  containersSince(revision: number): readonly ContainerChange[] | undefined {
    return this.#load.since(revision);
  }

  get totalContainers(): number {
    return this.#load.totalContainers;
  }

  get genericResources(): ReadonlyMap<string, number> {
    return this.#known().genericResources;
  }

  containers(): Iterable<NodeContainer> {
    return this.#load.containers();
  }

  findContainer(reference: string): NodeContainer | undefined {
    const name = reference.startsWith('/') ? reference.slice(1) : reference;
    const exact = this.#load.get(name) ?? this.#load.named(name);
    if (exact !== undefined) return exact.container;
    const location = this.#indices.containers.findOnEngine(this.engine, name);
    return location === undefined ? undefined : this.#load.get(location.record.id)?.container;
  }

  isPortTaken(port: PublishedPort, exceptContainerId?: string): boolean {
    return this.#load.isPortTaken(port, Date.now(), exceptContainerId) || isAmong(this.engine.announced.ports, port);
  }

  hasImage(reference: string): boolean {
    return this.#indices.images.enginesWith(reference).has(this.engine);
  }

  *imageReferences(): Iterable<string> {
    for (const { Id, RepoTags, RepoDigests } of this.engine.mirror.images) {
      yield Id;
      yield* RepoTags ?? [];
      yield* RepoDigests ?? [];
    }
  }

  hasVolume(name: string): boolean {
    return this.engine.mirror.volumes.has(name);
  }

  hasNetwork(reference: string): boolean {
    return this.#indices.networks.isReachableFrom(this.engine, reference);
  }

  /** Follows a change of the mirror. */
  replaceContainer(before: ContainerRecord | undefined, after: ContainerRecord | undefined): void {
    const previous = before === undefined ? undefined : this.#load.get(before.id);
    if (before !== undefined) this.#load.remove(before.id);
    if (after !== undefined) this.#load.put(this.#toLoadEntry(after, previous));
    this.#indices.orders.changed(this);
  }

  /** Counts a container that is being created until `giveUp` is called with its id. */
  reserve(entry: LoadEntry): void {
    this.#load.put(entry);
    this.#indices.orders.changed(this);
  }

  giveUp(reservedId: string): void {
    this.#load.remove(reservedId);
    this.#indices.orders.changed(this);
  }

  /** What the container counts for while it runs. */
  demandOf(record: ContainerRecord): { readonly nanoCpus: number; readonly memoryBytes: number } {
    return demandOf(record, this.#known().cpus, this.#indices.cpuMode);
  }

  /** Forgets what was read from the engine's info, and what operators have set. */
  infoChanged(): void {
    this.#facts = undefined;
    this.#indices.orders.changed(this);
  }

  get #fullDisk(): string | undefined {
    const { diskPercent } = this.engine.announced;
    return diskPercent < fullDiskPercent ? undefined : `its disk is at least ${diskPercent}% full`;
  }

  /** A created container is about to be started by whoever created it, so it counts; a stopped one does not by default. */
  #toLoadEntry(record: ContainerRecord, previous: LoadEntry | undefined): LoadEntry {
    const { row, details } = record;
    const state = row.State ?? details?.state ?? '';
    const isActive = this.#indices.load === 'all' || (activeStates.has(state) && !hasFailedToStart(record));
    const demand = isActive ? this.demandOf(record) : noDemand;
    const container: NodeContainer = {
      id: record.id,
      name: record.name,
      image: row.Image,
      imageId: row.ImageID,
      labels: row.Labels ?? {},
      isActive,
      ...demand,
      resources: isActive ? resourcesOf(record) : undefined,
    };
    const ports = isActive ? [...portsOf(record), ...this.#portsOfRanges(record)] : [];
    if (state !== 'created') return { container, ports, portsHeldUntilMs: Infinity };
    const held = previous?.portsHeldUntilMs ?? Infinity;
    return { container, ports, portsHeldUntilMs: Math.min(held, Date.now() + createdPortsHeldMs) };
  }

  /** The engine takes them at the start; until then others must leave as many free. */
  #portsOfRanges({ row, details }: ContainerRecord): readonly PublishedPort[] {
    if (details?.portRanges === undefined || details.state !== 'created') return [];
    const reservation = row.Labels?.[swarmIdLabel];
    const isFree = (port: PublishedPort): boolean => !this.isPortTaken(port, reservation);
    return assignPorts(details.portRanges, details.publishedPorts, isFree) ?? [];
  }

  #known(): NodeFacts {
    const { engine } = this;
    return (this.#facts ??= readNodeFacts({
      info: engine.info,
      labels: { ...engine.labels, ...this.settings.labels },
    }));
  }

  #identified(): NodeIdentity {
    const { identities } = this.#indices;
    if (this.#identity?.revision !== identities.revision) {
      this.#identity = { revision: identities.revision, value: identities.of(this.engine) };
    }
    return this.#identity.value;
  }
}

const unavailable: Readonly<Partial<Record<Availability, string>>> = {
  pause: 'node is paused',
  drain: 'node is being drained',
};

const activeStates: ReadonlySet<string> = new Set(['running', 'paused', 'restarting', 'created']);

/** It stays in the state `created`, with the exit code of the attempt. */
function hasFailedToStart({ details }: ContainerRecord): boolean {
  return details?.state === 'created' && details.exitCode !== 0;
}

const noDemand = { nanoCpus: 0, memoryBytes: 0 };

function resourcesOf({ details }: ContainerRecord): readonly ResourceDemand[] | undefined {
  return details?.deviceRequests && deviceDemands(details.deviceRequests);
}

function portsOf({ row, details }: ContainerRecord): readonly PublishedPort[] {
  if (details !== undefined) return [...details.publishedPorts, ...details.hostModePorts];
  return (row.Ports ?? []).flatMap(({ IP, PublicPort, Type }) =>
    PublicPort === undefined ? [] : [{ ip: IP ?? '', port: PublicPort, protocol: Type }],
  );
}
