// All engines as one host: builds the parts, each of which has its own file, and starts and stops them. Everything they
// hold is derived from discovery and the engines and can be rebuilt from them at any moment.
import type { DiscoveryEntry } from '../../discovery/backend.ts';
import type { StateStore } from '../../discovery/state-store.ts';
import { orAborted, withResolvers } from '../common/abort.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import type { Engine } from '../engine/engine.ts';
import { KeptOrders } from '../scheduler/kept-orders.ts';
import type { CpuMode } from '../scheduler/resource-demand.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
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
import { CreateIntents, type CreateIntentsOptions } from './create/create-intents.ts';
import { settleEarlierCreates } from './create/earlier-creates.ts';
import { FreshVolumes } from './create/fresh-volumes.ts';
import { ProjectHomes } from './create/home.ts';
import { IdempotentCreates } from './create/idempotent-creates.ts';
import { pullImage } from './create/provide-image.ts';
import { passThrough } from './create/translate-create.ts';
import { createDoubtMs as defaultDoubtMs } from './create/unsettled-creates.ts';
import { EngineChanges } from './engine-changes.ts';
import { EventHub } from './events/event-hub.ts';
import { Indices, type Lookup } from './index/indices.ts';
import { LateDisconnects } from './late-disconnects.ts';
import type { SwarmState } from './locations.ts';
import { ContainerNames } from './names/names.ts';
import type { RememberedNames } from './names/remembered-names.ts';
import { Renames } from './names/renames.ts';
import { UnseenNodes, type UnseenNodesMode } from './names/unseen-nodes.ts';
import { Identities } from './nodes/identity.ts';
import { Members } from './nodes/members.ts';
import { Membership } from './nodes/membership.ts';
import { NodeRemoval } from './nodes/node-removal.ts';
import { NodeSettingsBook } from './nodes/node-settings.ts';
import type { Load } from './nodes/node-view.ts';
import { Readiness } from './nodes/readiness.ts';
import { Placer } from './placer.ts';
import { Rescheduler, type RescheduleTimings } from './reschedule/rescheduler.ts';
import { NetworkReach, type ClusterNetworks } from './swarm/network-reach.ts';
import { SwarmKeeper, type SwarmTimings } from './swarm/swarm-keeper.ts';
import { swarmStateOf } from './swarm/swarm-state.ts';

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
  /** Where creates under way are told before an engine hears of them; absent where nothing outlives the manager. */
  readonly creates?: CreateStore | undefined;
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

export interface CreateStore {
  readonly store: StateStore;
  /** Another one whenever another manager may have created containers since. */
  readonly term: () => number;
  /** Several managers write there. */
  readonly isShared: boolean;
}

export class Cluster {
  /** The engines, in the order in which people see them. */
  readonly members: Members;
  readonly membership: Pick<Membership, 'forgetLost'>;
  readonly readiness: Readiness;
  readonly nodeSettings: Pick<NodeSettingsBook, 'update'>;
  readonly nodeRemoval: NodeRemoval;
  readonly containers: Lookup<Indices['containers']>;
  readonly images: Lookup<Indices['images']>;
  readonly networks: Lookup<Indices['networks']>;
  readonly volumes: Lookup<Indices['volumes']>;
  readonly execs: Lookup<Indices['execs']>;
  /** The engines' events and the cluster's own, merged. */
  readonly events: EventHub;
  /** Which engine the parts of a build go to. */
  readonly builds: BuildAffinity;
  readonly placer: Placer;
  /** What becomes of containers after their create; new ones are made by `createContainer`. */
  readonly containerCreator: Pick<ContainerCreator, 'startElsewhere' | 'stay' | 'waiting'>;
  readonly renames: Renames;
  /** Endpoints that are removed when their node is back. */
  readonly lateDisconnects: LateDisconnects;
  readonly networkReach: Pick<NetworkReach, 'describe'>;
  readonly rescheduler: Pick<Rescheduler, 'staysOn'>;
  readonly #tasks: TaskSet;
  readonly #membership: Membership;
  readonly #changes: EngineChanges;
  readonly #settings: NodeSettingsBook;
  readonly #remembered: RememberedNames | undefined;
  readonly #creates: IdempotentCreates;
  readonly #intents: CreateIntents | undefined;
  readonly #networkCreator: NetworkCreator;
  readonly #volumeCreator: VolumeCreator;
  readonly #swarmKeeper: SwarmKeeper | undefined;
  readonly #rescheduler: Rescheduler;
  #isStarted = false;

  constructor(options: ClusterOptions) {
    const { scheduler, logger, createRetry = 0, cpuMode = 'engine', load = 'active' } = options;
    const { translate = passThrough, provideImage = pullImage, isPrimary = (): boolean => true } = options;
    const { createDoubtMs = defaultDoubtMs, unseenNodes = 'known', networks: reach = 'auto' } = options;
    const tasks = new TaskSet(logger);
    const identities = new Identities();
    const orders = new KeptOrders();
    const members = new Members(identities, orders);
    const { swarms } = members;
    const engines = (): readonly Engine[] => members.engines;
    const nodes = (): Members['nodes'] => members.nodes;

    const membership = new Membership({
      engineFactory: options.engineFactory,
      logger,
      onJoin: (engine) => {
        this.#changes.join(engine);
      },
      onLeave: (engine) => {
        this.#changes.leave(engine);
      },
    });
    this.readiness = new Readiness({ members, isMembershipKnown: () => membership.isKnown, tasks });
    const settings = new NodeSettingsBook({
      store: options.state,
      logger,
      onChange: (nodeIds) => {
        this.#changes.settingsChanged(nodeIds);
      },
    });
    const settingsOf = (nodeId: string): ReturnType<NodeSettingsBook['of']> => settings.of(nodeId);

    const indices = new Indices(identities, members);
    const { containers, images, networks, volumes } = indices;
    const remembered = options.rememberedNames;
    const unseen = new UnseenNodes({ mode: unseenNodes, identities, remembered });
    const names = new ContainerNames(containers, unseen);
    this.events = new EventHub({ identities, engines: () => members.healthyEngines });

    const freshVolumes = new FreshVolumes();
    const parts = { identities, nodes, homes: new ProjectHomes(nodes), freshVolumes, logger, unseen };
    const holdKey = (key: string, name: string): (() => void) => this.#creates.hold(key, name);
    const engineAt = (address: string): Engine | undefined => identities.find(address);
    const adopt: CreateIntentsOptions['adopt'] = (intents) =>
      settleEarlierCreates(intents, { containers, names, holdKey, engineAt, doubtMs: createDoubtMs, tasks });
    const intents = options.creates && new CreateIntents({ ...options.creates, adopt, tasks, logger });
    const creator = new ContainerCreator({
      ...parts,
      intents,
      scheduler,
      orders,
      createRetry,
      createDoubtMs,
      cpuMode,
      translate,
      provideImage,
      containers,
      images,
      volumes,
      networks,
      names,
      tasks,
    });
    this.#rescheduler = new Rescheduler({
      store: options.state,
      containers,
      identities,
      engines,
      settingsOf,
      create: async (call) => {
        await intents?.ready();
        return await creator.create(call);
      },
      cpuMode,
      events: this.events,
      tasks,
      logger,
      isPrimary,
      timings: options.rescheduleTimings,
    });
    if (reach === 'overlay')
      this.#swarmKeeper = new SwarmKeeper({
        engines,
        swarms,
        identities,
        isReady: () => this.readiness.isReady && isPrimary(),
        logger,
        timings: options.swarmTimings,
      });
    const formation = (): string => this.#swarmKeeper?.waiting ?? '';
    const networkReach = new NetworkReach({ mode: reach, identities, engines, swarms, formation });

    this.#changes = new EngineChanges({
      members,
      indices,
      viewIndices: { identities, containers, images, networks, orders, cpuMode, load, settingsOf },
      readiness: this.readiness,
      unseen,
      remembered,
      events: this.events,
      creator,
      freshVolumes,
      rescheduler: this.#rescheduler,
      tasks,
    });
    this.members = members;
    this.membership = this.#membership = membership;
    this.nodeSettings = this.#settings = settings;
    this.nodeRemoval = new NodeRemoval({
      withdraw: options.withdraw,
      identities,
      settings,
      rescheduler: this.#rescheduler,
    });
    this.containers = containers;
    this.images = images;
    this.networks = networks;
    this.volumes = volumes;
    this.execs = indices.execs;
    this.builds = new BuildAffinity(nodes);
    this.placer = new Placer({ scheduler, members, orders });
    this.containerCreator = creator;
    this.renames = new Renames({ names, tasks, intents });
    this.lateDisconnects = new LateDisconnects(tasks, logger);
    this.networkReach = networkReach;
    this.rescheduler = this.#rescheduler;
    this.#tasks = tasks;
    this.#remembered = remembered;
    this.#intents = intents;
    this.#creates = new IdempotentCreates(containers, (call) => creator.create(call));
    this.#networkCreator = new NetworkCreator({ ...parts, networks, reach: networkReach });
    this.#volumeCreator = new VolumeCreator({ ...parts, volumes });
  }

  /** Keeps the membership equal to what discovery says, until `signal` aborts. */
  async follow(discovery: AsyncIterable<readonly DiscoveryEntry[]>, signal: AbortSignal): Promise<void> {
    await this.#start(signal);
    for await (const entries of discovery) {
      if (signal.aborted) return;
      this.#membership.apply(entries);
      this.readiness.changed();
    }
  }

  /** Places and creates a container; when this resolves the mirror shows it. One with a key is made once. */
  async createContainer(call: ContainerCreateCall): Promise<CreatedContainer> {
    await this.#intents?.ready();
    return await this.#creates.create(call);
  }

  /** Creates a network on one node, chosen so that a project's networks and volumes lie together. */
  createNetwork(call: NetworkCreateCall): Promise<CreatedNetwork> {
    return this.#networkCreator.create(call);
  }

  /** Creates a volume on one node, or answers with the one that is there already. */
  createVolume(call: VolumeCreateCall): Promise<CreatedVolume> {
    return this.#volumeCreator.create(call);
  }

  /** What the engine is in swarm mode; undefined where that is of no interest. */
  swarmStateOf(engine: Engine): SwarmState | undefined {
    return swarmStateOf(engine, this.#swarmKeeper);
  }

  async stop(): Promise<void> {
    this.events.stop();
    this.#changes.stop();
    // Before the members go: they have not left the cluster.
    await this.#remembered?.save(this.members.engines);
    await this.#intents?.stop();
    await Promise.all([this.#membership.stop(), this.#tasks.stop()]);
  }

  /** Resolves when the settings of nodes have been read: nothing may be placed before it is known which nodes take containers. */
  async #start(signal: AbortSignal): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const [keeper, remembered] = [this.#swarmKeeper, this.#remembered];
    if (keeper !== undefined) this.#tasks.spawn('keep the swarm', (stopped) => keeper.run(stopped));
    if (remembered !== undefined)
      this.#tasks.spawn('remember names', (stopped) => remembered.run(() => this.members.engines, stopped));
    const { promise: areRead, resolve } = withResolvers<undefined>();
    this.#tasks.spawn('follow the settings of nodes', (stopped) =>
      this.#settings.follow(stopped, () => {
        resolve(undefined);
      }),
    );
    this.#tasks.spawn('move containers off nodes', (stopped) => this.#rescheduler.run(stopped));
    await orAborted(areRead, AbortSignal.any([signal, this.#tasks.signal])).catch(() => undefined);
  }
}
