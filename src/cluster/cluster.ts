// All engines as one host: the membership, the indices over what the engines hold, placement and the merged
// events. Everything here is derived from discovery and the engines and can be rebuilt from them at any moment.
import type { DiscoveryEntry } from '../../discovery/backend.ts';
import type { StateStore } from '../../discovery/state-store.ts';
import { orAborted, sleep, withResolvers } from '../common/abort.ts';
import { compareText } from '../common/compare-text.ts';
import { ApiError, badRequest, notImplemented } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { swarmMember } from '../docker/swarm-member.ts';
import type { DockerEvent, NetworkRow } from '../docker/types.ts';
import type { Engine, EngineChange } from '../engine/engine.ts';
import type { ContainerRecord } from '../engine/mirror.ts';
import type { Node, Placement, PlacementRequest } from '../scheduler/contracts.ts';
import { KeptOrders } from '../scheduler/kept-orders.ts';
import { placementRequest } from '../scheduler/request.ts';
import type { CpuMode } from '../scheduler/resource-demand.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { termsOf } from '../scheduler/terms.ts';
import { BuildAffinity } from './builds.ts';
import type {
  ContainerCreateCall,
  CreatedContainer,
  CreatedNetwork,
  CreatedVolume,
  NetworkCreateCall,
  ProvideImage,
  TranslateCreate,
  VolumeCreateCall,
} from './calls.ts';
import { ContainerCreator } from './create/create-container.ts';
import { NetworkCreator } from './create/create-network.ts';
import { VolumeCreator } from './create/create-volume.ts';
import { readForCertain, readSoon } from './engine-word.ts';
import { EventHub } from './events/event-hub.ts';
import { FreshVolumes } from './create/fresh-volumes.ts';
import { ProjectHomes } from './create/home.ts';
import { Identities } from './nodes/identity.ts';
import { IdempotentCreates } from './create/idempotent-creates.ts';
import { ContainerIndex } from './index/container-index.ts';
import { ExecIndex } from './index/exec-index.ts';
import { ImageIndex } from './index/image-index.ts';
import { NetworkIndex } from './index/network-index.ts';
import { VolumeIndex } from './index/volume-index.ts';
import type {
  ContainerBlock,
  ContainerLocation,
  IdentityConflict,
  ImageLocation,
  NetworkLocation,
  NodeIdentity,
  SwarmState,
  VolumeLocation,
} from './locations.ts';
import { LateDisconnects } from './late-disconnects.ts';
import { Membership } from './nodes/membership.ts';
import { ContainerNames } from './names/names.ts';
import type { NameReservation } from './names/names.ts';
import { NetworkReach } from './swarm/network-reach.ts';
import type { ClusterNetworks } from './swarm/network-reach.ts';
import { NodeSettingsBook, type NodeSettings } from './nodes/node-settings.ts';
import { NodeView } from './nodes/node-view.ts';
import type { Load, NodeViewIndices } from './nodes/node-view.ts';
import { pullImage } from './create/provide-image.ts';
import type { RememberedNames } from './names/remembered-names.ts';
import { Rescheduler, type RescheduleTimings, type StayingContainer } from './reschedule/rescheduler.ts';
import { SwarmKeeper } from './swarm/swarm-keeper.ts';
import type { SwarmTimings } from './swarm/swarm-keeper.ts';
import { holdRoom } from './create/start-room.ts';
import { Swarms } from './swarm/swarms.ts';
import { passThrough } from './create/translate-create.ts';
import { UnseenNodes } from './names/unseen-nodes.ts';
import type { UnseenNodesMode } from './names/unseen-nodes.ts';
import { createDoubtMs as defaultDoubtMs } from './create/unsettled-creates.ts';
import type { WaitingCreate } from './create/waiting-creates.ts';

export interface ClusterOptions {
  readonly scheduler: Scheduler;
  /** Makes the engine of a member; the cluster starts and stops it. */
  readonly engineFactory: (address: string) => Engine;
  readonly logger: Logger;
  /** Where what operators set on nodes is kept. */
  readonly state: StateStore;
  /** Takes a member out of discovery; without it members cannot be removed. */
  readonly withdraw?: (address: string, signal: AbortSignal) => Promise<void>;
  /** How many other nodes are tried when an engine answers a create with 500. */
  readonly createRetry?: number;
  /** For how long a name stays reserved after the answer to its create was lost; `createDoubtMs` by default. */
  readonly createDoubtMs?: number;
  /** What CPU shares mean; `engine` by default. */
  readonly cpuMode?: CpuMode;
  /** `active` by default. */
  readonly load?: Load;
  readonly translate?: TranslateCreate;
  readonly provideImage?: ProvideImage;
  /** How far networks reach; `auto` by default. */
  readonly networks?: ClusterNetworks;
  /** Whether names are given that a node may have which has not been read since the start; `known` by default. */
  readonly unseenNodes?: UnseenNodesMode;
  /** What such nodes had; absent: nobody knows. */
  readonly rememberedNames?: RememberedNames | undefined;
  readonly swarmTimings?: Partial<SwarmTimings>;
  readonly rescheduleTimings?: Partial<RescheduleTimings>;
  /** Whether this manager, and no other, acts by itself; always true by default. */
  readonly isPrimary?: () => boolean;
}

/** An engine that lives answers its first probe long before. */
const firstWordMs = 1_500;
/** Until a store that has taken a withdrawal says so to those who watch it. */
const withdrawalMs = 2_000;

export class Cluster {
  /** The engines' events and the cluster's own, merged. */
  readonly events: EventHub;
  /** Which engine the parts of a build go to. */
  readonly builds: BuildAffinity;
  readonly #membership: Membership;
  readonly #identities = new Identities();
  readonly #containers: ContainerIndex;
  readonly #images: ImageIndex;
  readonly #networks: NetworkIndex;
  readonly #volumes: VolumeIndex;
  readonly #execs: ExecIndex;
  readonly #indices: NodeViewIndices;
  readonly #names: ContainerNames;
  readonly #settings: NodeSettingsBook;
  readonly #withdraw: ClusterOptions['withdraw'];
  readonly #unseen: UnseenNodes;
  readonly #remembered: RememberedNames | undefined;
  readonly #freshVolumes = new FreshVolumes();
  readonly #views = new Map<Engine, NodeView>();
  readonly #orders = new KeptOrders();
  readonly #subscriptions = new Map<Engine, () => void>();
  readonly #scheduler: Scheduler;
  readonly #creator: ContainerCreator;
  readonly #creates: IdempotentCreates;
  readonly #swarms = new Swarms<Engine>(() => this.engines);
  /** Endpoints that are removed when their node is back. */
  readonly lateDisconnects: LateDisconnects;
  readonly #rescheduler: Rescheduler;
  readonly #swarmKeeper: SwarmKeeper | undefined;
  readonly #networkReach: NetworkReach;
  readonly #networkCreator: NetworkCreator;
  readonly #volumeCreator: VolumeCreator;
  readonly #tasks: TaskSet;
  readonly #readyWaiters = new Set<() => void>();
  /** Members that joined so lately that their silence means nothing. */
  readonly #newcomers = new Set<Engine>();
  #engines: readonly Engine[] | undefined;
  #isFollowingSettings = false;
  #nodesRevision = 0;
  #nodes: readonly NodeView[] | undefined;

  constructor(options: ClusterOptions) {
    const { scheduler, logger, createRetry = 0, cpuMode = 'engine', load = 'active' } = options;
    const { translate = passThrough, provideImage = pullImage } = options;
    const { createDoubtMs = defaultDoubtMs } = options;
    this.#scheduler = scheduler;
    this.#tasks = new TaskSet(logger);
    this.lateDisconnects = new LateDisconnects(this.#tasks, logger);
    this.#membership = new Membership({
      engineFactory: options.engineFactory,
      logger,
      onJoin: (engine) => {
        this.#join(engine);
      },
      onLeave: (engine) => {
        this.#leave(engine);
      },
    });
    this.#containers = new ContainerIndex(this.#identities);
    this.#images = new ImageIndex(this.#identities);
    this.#networks = new NetworkIndex(this.#identities, this.#swarms);
    this.#volumes = new VolumeIndex(this.#identities);
    this.#withdraw = options.withdraw;
    this.#settings = new NodeSettingsBook({
      store: options.state,
      logger,
      onChange: (nodeIds) => {
        this.#settingsChanged(nodeIds);
      },
    });
    this.#indices = {
      identities: this.#identities,
      containers: this.#containers,
      images: this.#images,
      networks: this.#networks,
      orders: this.#orders,
      cpuMode,
      load,
      settingsOf: (nodeId) => this.#settings.of(nodeId),
    };
    this.#execs = new ExecIndex(() => this.healthyEngines);
    this.#remembered = options.rememberedNames;
    this.#unseen = new UnseenNodes({
      mode: options.unseenNodes ?? 'known',
      identities: this.#identities,
      remembered: this.#remembered,
    });
    this.#names = new ContainerNames(this.#containers, this.#unseen);
    this.events = new EventHub({ identities: this.#identities, engines: () => this.healthyEngines });
    const nodes = (): readonly NodeView[] => this.#nodeViews();
    this.builds = new BuildAffinity(nodes);
    const homes = new ProjectHomes(nodes);
    const unseen = this.#unseen;
    const parts = { identities: this.#identities, nodes, homes, freshVolumes: this.#freshVolumes, logger, unseen };
    this.#creator = new ContainerCreator({
      ...parts,
      scheduler,
      orders: this.#orders,
      createRetry,
      createDoubtMs,
      cpuMode,
      translate,
      provideImage,
      containers: this.#containers,
      images: this.#images,
      volumes: this.#volumes,
      networks: this.#networks,
      names: this.#names,
      tasks: this.#tasks,
    });
    this.#rescheduler = new Rescheduler({
      store: options.state,
      containers: this.#containers,
      identities: this.#identities,
      engines: () => this.engines,
      settingsOf: (nodeId) => this.#settings.of(nodeId),
      create: (call) => this.#creator.create(call),
      events: this.events,
      tasks: this.#tasks,
      logger,
      isPrimary: options.isPrimary ?? ((): boolean => true),
      timings: options.rescheduleTimings,
    });
    this.#creates = new IdempotentCreates(this.#containers, (call) => this.#creator.create(call));
    this.#networkReach = new NetworkReach({
      mode: options.networks ?? 'auto',
      identities: this.#identities,
      engines: () => this.engines,
      swarms: this.#swarms,
      formation: () => this.#swarmKeeper?.waiting ?? '',
    });
    if (options.networks === 'overlay')
      this.#swarmKeeper = new SwarmKeeper({
        engines: () => this.engines,
        swarms: this.#swarms,
        identities: this.#identities,
        isReady: () => this.isReady && (options.isPrimary?.() ?? true),
        logger,
        timings: options.swarmTimings,
      });
    this.#networkCreator = new NetworkCreator({ ...parts, networks: this.#networks, reach: this.#networkReach });
    this.#volumeCreator = new VolumeCreator({ ...parts, volumes: this.#volumes });
  }

  /** Keeps the membership equal to what discovery says, until `signal` aborts. */
  async follow(discovery: AsyncIterable<readonly DiscoveryEntry[]>, signal: AbortSignal): Promise<void> {
    const keeper = this.#swarmKeeper;
    if (keeper !== undefined) this.#tasks.spawn('keep the swarm', (stopped) => keeper.run(stopped));
    await this.#readSettings(signal);
    const remembered = this.#remembered;
    if (remembered !== undefined)
      this.#tasks.spawn('remember names', (stopped) => remembered.run(() => this.engines, stopped));
    for await (const entries of discovery) {
      if (signal.aborted) return;
      this.#membership.apply(entries);
      this.#wakeReadyWaiters();
    }
  }

  /** To be called now and then: lets go of engines that are neither announced nor heard of for long. */
  forgetLost(store: 'answers' | 'silent', now = Date.now()): void {
    this.#membership.forgetLost(store, now);
  }

  /**
   * True once discovery has spoken and every member has been read or is lost: from then on an absent object is truly
   * absent. A new member that does not answer at all is not waited for, one that is slow is.
   */
  get isReady(): boolean {
    return this.#membership.isKnown && this.engines.every((engine) => !this.#isAwaited(engine));
  }

  /** Resolves when `isReady`; rejects when `signal` aborts first. */
  async whenReady(signal: AbortSignal): Promise<void> {
    let wake: (() => void) | undefined;
    try {
      await orAborted(
        new Promise<void>((resolve) => {
          wake = (): void => {
            if (this.isReady) resolve();
          };
          this.#readyWaiters.add(wake);
          wake();
        }),
        signal,
      );
    } finally {
      if (wake !== undefined) this.#readyWaiters.delete(wake);
    }
  }

  /** Every member in the order of the names, the unhealthy ones too. */
  get engines(): readonly Engine[] {
    return (this.#engines ??= this.#nodeViews().map((node) => node.engine));
  }

  get healthyEngines(): readonly Engine[] {
    return this.engines.filter((engine) => engine.state === 'healthy');
  }

  /** The member of that node name, node id or address. */
  engineNamed(nameOrId: string): Engine | undefined {
    return this.#identities.find(nameOrId);
  }

  /** The id and name under which the cluster shows `engine`: they differ from its own where machines were cloned. */
  identityOf(engine: Engine): NodeIdentity {
    return this.#identities.of(engine);
  }

  /** Members that report the same id or name, for the operator. */
  get identityConflicts(): readonly IdentityConflict[] {
    return this.#identities.conflicts();
  }

  /** The scheduler's view of every member, in the order of the names; kept up to date, so not to be kept. */
  get nodes(): readonly Node[] {
    return this.#nodeViews();
  }

  /** Changes whenever a member comes or goes, gains or loses its health, or may be called differently. */
  get nodesRevision(): number {
    return this.#nodesRevision;
  }

  nodeOf(engine: Engine): NodeView | undefined {
    return this.#views.get(engine);
  }

  /** Sets what operators decide about a node. Throws 500 as swarm mode does when `seenVersion` is not the newest. */
  updateNode(nodeId: string, seenVersion: number, settings: NodeSettings, signal: AbortSignal): Promise<void> {
    return this.#settings.update(nodeId, seenVersion, settings, signal);
  }

  /** Takes the member out of discovery and forgets what was set on it. One whose agent still runs comes back. */
  async removeNode(engine: Engine, signal: AbortSignal): Promise<void> {
    if (this.#withdraw === undefined) throw notImplemented('members cannot be removed here');
    const { id } = this.identityOf(engine);
    this.#rescheduler.forgetNode(engine);
    await this.#withdraw(engine.address, signal);
    await this.#settings.forget(id, signal);
    for (let waitedMs = 0; engine.state !== 'gone' && waitedMs < withdrawalMs; waitedMs += 20) await sleep(20, signal);
  }

  /** What a node that is drained or lost keeps, and why; empty for every other. */
  staysOn(engine: Engine): readonly StayingContainer[] {
    return this.#rescheduler.staysOn(engine);
  }

  /**
   * The container that a full id, name, `node/name`, id prefix or swarm id names, looked for in this order.
   * Throws 404 when there is none, 400 for an id prefix of several, 409 for a name that several nodes have.
   */
  resolveContainer(reference: string): ContainerLocation {
    return this.#containers.resolve(reference);
  }

  /** As resolveContainer, but undefined when there is none. */
  findContainer(reference: string): ContainerLocation | undefined {
    return this.#containers.find(reference);
  }

  /** False for a copy that another one on another node has taken the place of. */
  isCurrentCopy(location: ContainerLocation): boolean {
    return this.#containers.isCurrent(location);
  }

  /** Every container of every member, unhealthy ones included, in no order. */
  containers(): Iterable<ContainerLocation> {
    return this.#containers.all();
  }

  /** Every container of every member, the newest first; of equal age by node and id. Without blocks that are empty. */
  containersNewestFirst(): readonly ContainerBlock[] {
    return this.#containers.newestFirst();
  }

  /** Negative when `a` comes before `b` in `containersNewestFirst`. */
  compareAge(a: ContainerLocation, b: ContainerLocation): number {
    return this.#containers.compareAge(a, b);
  }

  /** The engine that runs the exec instance; asks the engines when it is not known yet. Throws 404. */
  resolveExec(id: string, signal: AbortSignal): Promise<Engine> {
    return this.#execs.resolve(id, signal);
  }

  rememberExec(id: string, engine: Engine): void {
    this.#execs.remember(id, engine);
  }

  /** By full id, name, `node/name` or id prefix; the first node's for predefined names. Throws 404, 400 or 409. */
  resolveNetwork(reference: string): NetworkLocation {
    return this.#networks.resolve(reference);
  }

  /** The network of that id, name or unique id prefix as the engine has it. */
  networkOn(engine: Engine, reference: string): NetworkRow | undefined {
    return this.#networks.findOnEngine(engine, reference);
  }

  /** By name or `node/name`. Throws 404, or 409 when several nodes have a volume of that name. */
  resolveVolume(reference: string): VolumeLocation {
    return this.#volumes.resolve(reference);
  }

  /** By any form of name, digest, id or id prefix. Throws 404. */
  resolveImage(reference: string): ImageLocation {
    return this.#images.resolve(reference);
  }

  /** Places and creates a container; when this resolves the mirror shows it. One with a key is made once. */
  createContainer(call: ContainerCreateCall): Promise<CreatedContainer> {
    return this.#creates.create(call);
  }

  /** Makes a container that `refusal` kept from starting anew on another node: see `ContainerCreator`. */
  startElsewhere(
    location: ContainerLocation,
    refusal: ApiError,
    signal: AbortSignal,
  ): Promise<CreatedContainer | undefined> {
    return this.#creator.startElsewhere(location, refusal, signal);
  }

  /**
   * Holds what a stopped container asks for on its node until the result is called, when it runs or has failed to.
   * Throws 409 when the node has not enough of it left.
   */
  holdRoomToStart({ engine, record }: ContainerLocation): () => void {
    const view = this.#views.get(engine);
    return view === undefined ? () => undefined : holdRoom(view, record, this.#scheduler);
  }

  /** The container is not made anew elsewhere: to be called when it may differ from what its create asked for, or somebody holds a stream of it. */
  keepInPlace({ record }: ContainerLocation): void {
    this.#creator.stay(record.id);
  }

  /** Creates that are held until a node can take them, in the order of their arrival. */
  get waitingCreates(): readonly WaitingCreate[] {
    return this.#creator.waiting.list;
  }

  /**
   * Does `run`, which must rename the container on its engine, while the new name is kept from everyone else;
   * when this resolves the mirror shows the new name. A name whose fate is unknown, because the answer was lost,
   * is kept until the engine has spoken. Throws 400 or 409 as dockerd.
   */
  async renameContainer<T>(location: ContainerLocation, newName: string, run: () => Promise<T>): Promise<T> {
    const reservation = this.#names.reserveForRename(location, newName);
    let isAnswered = false;
    try {
      const answer = await run();
      isAnswered = true;
      return answer;
    } finally {
      const isShown = await readSoon(location.engine, location.record.id);
      if (isAnswered && isShown) reservation.release();
      else this.#releaseWhenKnown(location, reservation);
    }
  }

  /**
   * The engine for a build whose arguments carry placement expressions ("constraint:storage==ssd"), as an environment
   * of them would place a container. Throws 400 for what is no expression or only makes sense for a container, 409 with
   * the reasons when no node fits, 503 when none is healthy.
   */
  placeBuild(environment: readonly string[]): Engine {
    const { isDryRun, waitMs } = termsOf({ Env: environment });
    if (isDryRun || waitMs > 0)
      throw badRequest('a build has no dry run and does not wait: dryrun and wait are for containers');
    const placement = this.place(placementRequest({ Env: environment }));
    if (placement.kind === 'refused')
      throw new ApiError(this.healthyEngines.length > 0 ? 409 : 503, placement.explanation);
    const [best] = placement.nodes;
    if (!(best instanceof NodeView)) throw new ApiError(503, 'no node is healthy');
    return best.engine;
  }

  /** Where a container would go now; nothing is reserved. */
  place(request: PlacementRequest): Placement {
    return this.#scheduler.place(request, this.nodes, this.#orders);
  }

  /** Creates a network on one node, chosen so that a project's networks and volumes lie together. */
  createNetwork(call: NetworkCreateCall): Promise<CreatedNetwork> {
    return this.#networkCreator.create(call);
  }

  /** How far a new network reaches, for people. */
  get networkReach(): string {
    return this.#networkReach.describe();
  }

  /** What the engine is in swarm mode, and what keeps it out of the others' swarm; undefined where neither is of interest. */
  swarmStateOf(engine: Engine): SwarmState | undefined {
    const { state, isManager, error } = swarmMember(engine.info);
    if (this.#swarmKeeper === undefined && (state === '' || state === 'inactive')) return undefined;
    const role = state === 'active' ? (isManager ? 'manager' : 'worker') : state;
    return { role, note: this.#swarmKeeper?.noteOf(engine) ?? (error === '' ? undefined : error) };
  }

  /** Creates a volume on one node, or answers with the one that is there already. */
  createVolume(call: VolumeCreateCall): Promise<CreatedVolume> {
    return this.#volumeCreator.create(call);
  }

  async stop(): Promise<void> {
    this.events.stop();
    for (const unsubscribe of this.#subscriptions.values()) unsubscribe();
    // Before the members go: they have not left the cluster.
    await this.#remembered?.save(this.engines);
    await Promise.all([this.#membership.stop(), this.#tasks.stop()]);
  }

  #releaseWhenKnown({ engine, record }: ContainerLocation, reservation: NameReservation): void {
    this.#tasks.spawn('keep a name', async (signal) => {
      await readForCertain(engine, record.id, signal);
      reservation.release();
    });
  }

  /** Nothing may be placed before it is known which nodes take containers. */
  async #readSettings(signal: AbortSignal): Promise<void> {
    if (this.#isFollowingSettings) return;
    this.#isFollowingSettings = true;
    const { promise, resolve } = withResolvers<undefined>();
    this.#tasks.spawn('follow the settings of nodes', (stopped) =>
      this.#settings.follow(stopped, () => {
        resolve(undefined);
      }),
    );
    this.#tasks.spawn('move containers off nodes', (stopped) => this.#rescheduler.run(stopped));
    await orAborted(promise, AbortSignal.any([signal, this.#tasks.signal])).catch(() => undefined);
  }

  #settingsChanged(nodeIds: readonly string[]): void {
    this.#rescheduler.nodesChanged();
    for (const view of this.#views.values()) if (nodeIds.includes(view.id)) view.infoChanged();
    this.#nodesRevision += 1;
    this.#creator.waiting.changed();
  }

  #isAwaited(engine: Engine): boolean {
    return engine.state === 'pending' && (engine.hasAnswered || this.#newcomers.has(engine));
  }

  #awaitFirstWord(engine: Engine): void {
    this.#newcomers.add(engine);
    this.#tasks.spawn('await the first word', async (signal) => {
      await sleep(firstWordMs, signal);
      this.#newcomers.delete(engine);
      this.#wakeReadyWaiters();
    });
  }

  #nodeViews(): readonly NodeView[] {
    return (this.#nodes ??= [...this.#views.values()].sort((a, b) => compareText(a.name, b.name)));
  }

  #join(engine: Engine): void {
    this.#identities.update(engine);
    this.#views.set(engine, new NodeView(engine, this.#indices));
    this.#unseen.joined(engine);
    this.#awaitFirstWord(engine);
    this.#forgetOrder();
    for (const record of engine.mirror.containers.values()) this.#containerChanged(engine, undefined, record);
    this.#setsReplaced(engine);
    this.#subscriptions.set(
      engine,
      engine.subscribe((change) => {
        this.#follow(engine, change);
      }),
    );
  }

  #leave(engine: Engine): void {
    this.#subscriptions.get(engine)?.();
    this.#subscriptions.delete(engine);
    this.events.engineLeft(engine);
    this.#views.delete(engine);
    this.#unseen.settled(engine);
    this.#remembered?.forget(engine.address);
    this.#containers.removeEngine(engine);
    this.#images.removeEngine(engine);
    this.#networks.removeEngine(engine);
    this.#volumes.removeEngine(engine);
    this.#execs.removeEngine(engine);
    this.#identities.remove(engine);
    this.#forgetOrder();
    this.#wakeReadyWaiters();
    this.#creator.waiting.changed();
  }

  #follow(engine: Engine, change: EngineChange): void {
    this.#apply(engine, change);
    if (change.kind === 'event') return;
    this.#creator.waiting.changed();
    this.#rescheduler.roomChanged();
  }

  #apply(engine: Engine, change: EngineChange): void {
    switch (change.kind) {
      case 'state':
        if (change.state === 'healthy') this.#unseen.settled(engine);
        this.#identityChanged(engine);
        this.events.stateChanged(engine, change.state, change.reason);
        this.#rescheduler.nodesChanged();
        this.#wakeReadyWaiters();
        return;
      case 'info':
        this.#identityChanged(engine);
        return;
      case 'container':
        this.#containerChanged(engine, change.before, change.after);
        return;
      case 'images':
        this.#images.replace(engine);
        return;
      case 'networks':
        this.#networks.replace(engine);
        return;
      case 'volumes':
        this.#volumes.replace(engine);
        return;
      case 'event':
        this.#execs.learn(engine, change.event);
        this.#hearOfSwarm(change.event);
        this.events.publish(engine, change.event);
        return;
    }
  }

  #containerChanged(engine: Engine, before: ContainerRecord | undefined, after: ContainerRecord | undefined): void {
    this.#containers.replace(engine, before, after);
    this.#views.get(engine)?.replaceContainer(before, after);
    this.#rescheduler.observe(engine, before, after);
    if (after === undefined) return;
    if (before === undefined) this.#creator.containerSeen(engine, after);
    for (const name of after.details?.volumeNames ?? []) this.#freshVolumes.used(name);
  }

  #identityChanged(engine: Engine): void {
    this.#nodesRevision += 1;
    if (this.#identities.update(engine)) this.#forgetOrder();
    this.#views.get(engine)?.infoChanged();
    this.#swarms.forget();
  }

  /** The managers of a swarm report what becomes of its other nodes, which may not say so themselves. */
  #hearOfSwarm({ Type, Actor }: DockerEvent): void {
    const attributes = Type === 'node' ? (Actor.Attributes ?? {}) : {};
    if (!Object.keys(attributes).some((key) => key.endsWith('.new'))) return;
    const engine = this.#identities.find(attributes['name'] ?? '');
    if (engine !== undefined) this.#tasks.spawn('read info', (signal) => engine.refreshInfo(signal));
  }

  #setsReplaced(engine: Engine): void {
    this.#images.replace(engine);
    this.#networks.replace(engine);
    this.#volumes.replace(engine);
  }

  #forgetOrder(): void {
    this.#nodesRevision += 1;
    this.#engines = undefined;
    this.#nodes = undefined;
    this.#swarms.forget();
    this.#orders.clear();
  }

  #wakeReadyWaiters(): void {
    for (const wake of [...this.#readyWaiters]) wake();
  }
}
