// Repairs the loss of nodes and empties nodes that are drained: looks once a second which containers leave which node
// and what of their older copies is to be put away, and sees to it. Everything here can be found again from the store
// and the engines.
import type { StateStore } from '../../../discovery/state-store.ts';
import { sleep } from '../../common/abort.ts';
import { pause } from '../../common/deadline.ts';
import { errorMessage } from '../../common/errors.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import type { Logger } from '../../common/logger.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { CpuMode } from '../../scheduler/resource-demand.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { ContainerIndex } from '../index/container-index.ts';
import type { Identities } from '../nodes/identity.ts';
import type { KnownSettings } from '../nodes/node-settings.ts';
import { ContainerKeeper } from './container-keeper.ts';
import type { MoveGroup } from './groups.ts';
import type { KeptContainer, MoveReason, NodeReference } from './kept-container.ts';
import { KeptContainers } from './kept-containers.ts';
import { leavingGroups, ranAtTheEnd, unasked, type StayingContainer } from './leaving-groups.ts';
import { LeavingNodes } from './leaving-nodes.ts';
import { MoveFailures, type RetryTimings } from './move-failures.ts';
import { MoveNews } from './move-news.ts';
import { Mover, type MoverOptions, type MoverTimings } from './mover.ts';
import { putAway } from './put-away.ts';

export interface RescheduleTimings extends MoverTimings, RetryTimings {
  /** Between two looks at the nodes. */
  readonly lookMs: number;
  /** How long a node must have been lost. */
  readonly graceMs: number;
}

const defaultRescheduleTimings: RescheduleTimings = {
  lookMs: 1_000,
  graceMs: 60_000,
  runningMs: 3_000,
  healthyWithinMs: 120_000,
  pollMs: 200,
  retryMinMs: 1_000,
  retryMaxMs: 60_000,
};

export interface ReschedulerOptions {
  readonly store: StateStore;
  readonly containers: ContainerIndex;
  readonly identities: Identities;
  readonly engines: () => readonly Engine[];
  readonly settingsOf: (nodeId: string) => KnownSettings;
  readonly create: MoverOptions['create'];
  readonly cpuMode: CpuMode;
  readonly events: EventHub;
  readonly tasks: TaskSet;
  readonly logger: Logger;
  /** Only the primary of several managers repairs. */
  readonly isPrimary: () => boolean;
  readonly timings?: Partial<RescheduleTimings> | undefined;
}

const shortestPauseMs = 50;
/** Of lost nodes; a drain moves one group after the other. */
const movesAtOnce = 8;

export class Rescheduler {
  readonly #options: ReschedulerOptions;
  readonly #timings: RescheduleTimings;
  readonly #kept: KeptContainers;
  readonly #keeper: ContainerKeeper;
  readonly #mover: Mover;
  readonly #nodes: LeavingNodes;
  readonly #news: MoveNews;
  /** Swarm ids of containers that something is being done with. */
  readonly #busy = new Map<string, Engine | undefined>();
  readonly #failures: MoveFailures;
  #isLeading = false;
  #wake: () => void = () => undefined;

  constructor(options: ReschedulerOptions) {
    const { store, tasks, logger, isPrimary, containers, identities, create, cpuMode } = options;
    this.#options = options;
    this.#timings = { ...defaultRescheduleTimings, ...options.timings };
    this.#nodes = new LeavingNodes({ ...options, graceMs: this.#timings.graceMs });
    this.#news = new MoveNews(options);
    this.#failures = new MoveFailures(this.#timings);
    this.#kept = new KeptContainers({ store, tasks, logger, mayWrite: isPrimary });
    const kept = this.#kept;
    const onChange = (): void => {
      this.#wake();
    };
    this.#keeper = new ContainerKeeper({ kept, containers, identities, cpuMode, tasks, logger, onChange });
    this.#mover = new Mover({
      kept,
      containers,
      identities,
      create,
      logger,
      mayWrite: isPrimary,
      timings: this.#timings,
    });
  }

  /** Looks and acts until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#lead(signal);
      if (this.#isLeading) this.#look();
      await this.#untilWoken(signal);
    }
  }

  /** Takes a change of a mirror. */
  observe(engine: Engine, before: ContainerRecord | undefined, after: ContainerRecord | undefined): void {
    this.#keeper.observe(engine, before, after);
  }

  /** To be called when a node's state or settings have changed. */
  nodesChanged(): void {
    this.#wake();
  }

  /** To be called when there may be room that was not there before. */
  roomChanged(): void {
    this.#failures.roomChanged();
  }

  /** What a node that is drained or lost keeps, and why; empty for every other. */
  staysOn(engine: Engine): readonly StayingContainer[] {
    const reason = this.#nodes.foreseenReason(engine);
    if (reason === undefined) return [];
    const kept = this.#byEngine([...this.#kept.all()]).get(engine) ?? [];
    const waits = this.#nodes.isFrozen(engine) ? 'too many nodes were lost at once' : 'it is about to be moved';
    const staying = this.#groups(engine, kept, reason).flatMap(({ members, obstacle }) => {
      const why = obstacle ?? this.#failures.textOf(groupKey(members)) ?? waits;
      return members.map(({ containerId, name }) => ({ containerId, name, reason: why }));
    });
    return [...staying, ...unasked(engine, kept, reason)];
  }

  /** The node was taken out of the cluster for good. */
  forgetNode(engine: Engine): void {
    this.#keeper.forgetNode((node) => this.#engineOf(node) === engine);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    if (!this.#options.isPrimary()) {
      if (this.#isLeading) this.#keeper.stop();
      this.#isLeading = false;
      return;
    }
    if (this.#isLeading) return;
    try {
      await this.#kept.load(signal);
      this.#keeper.start();
      this.#isLeading = true;
    } catch (error) {
      this.#options.logger.debug('what containers are made from cannot be read', { error: errorMessage(error) });
    }
  }

  #look(): void {
    this.#nodes.follow(this.#options.engines());
    const all = [...this.#kept.all()];
    for (const [engine, kept] of this.#byEngine(all)) {
      const reason = this.#nodes.reasonToLeave(engine);
      if (engine.state === 'healthy') this.#keeper.dropAbsent(engine, kept);
      if (reason === undefined) this.#settlePlans(engine, kept);
      else this.#leave(engine, kept, reason);
    }
    for (const kept of all) {
      if (kept.containerId === '') this.#endRemoved(kept);
      this.#putAwayFormer(kept);
    }
  }

  #groups(engine: Engine, kept: readonly KeptContainer[], reason: MoveReason): readonly MoveGroup[] {
    return leavingGroups(engine, kept, { reason, isDrained: this.#nodes.isDrained(engine) });
  }

  #leave(engine: Engine, kept: readonly KeptContainer[], reason: MoveReason): void {
    for (const { members, obstacle } of this.#groups(engine, kept, reason)) {
      if (obstacle !== undefined || members.some(({ swarmId }) => this.#busy.has(swarmId))) continue;
      const onEngine = [...this.#busy.values()].filter((other) => other === engine).length;
      if (reason === 'drain' ? onEngine > 0 : this.#busy.size >= movesAtOnce) return;
      if (!this.#failures.mayTry(groupKey(members), this.#nodes.settingsOf(engine))) continue;
      this.#occupy(members, engine, async (signal) => {
        await this.#move(engine, members, reason, signal);
      });
    }
  }

  async #move(
    engine: Engine,
    members: readonly KeptContainer[],
    reason: MoveReason,
    signal: AbortSignal,
  ): Promise<void> {
    const key = groupKey(members);
    if (!this.#failures.has(key)) this.#news.planned(engine, members, reason);
    const isStillThere = ({ swarmId, containerId }: KeptContainer): boolean =>
      this.#kept.get(swarmId)?.containerId === containerId;
    try {
      const copies = await this.#mover.move(
        {
          members,
          reason,
          isStarted: (member) => ranAtTheEnd(member, engine),
          mayGoOn: () =>
            this.#options.isPrimary() && members.every(isStillThere) && this.#nodes.reasonToLeave(engine) === reason,
          isLost: (other) => this.#nodes.reasonToLeave(other) === 'node failure',
        },
        signal,
      );
      this.#failures.remove(key);
      for (const { member, engine: target } of copies) this.#news.done(engine, member, { target, reason });
      for (const copy of copies) this.#keeper.read(copy.engine, copy.containerId);
    } catch (error) {
      if (signal.aborted) return;
      const isNew = this.#failures.add(key, error, this.#nodes.settingsOf(engine));
      if (isNew) this.#news.failed(engine, members, { reason, cause: error });
    }
  }

  /** Its user has removed it: nothing is kept of it once its copies are seen to. */
  #endRemoved(kept: KeptContainer): void {
    if (this.#busy.has(kept.swarmId)) return;
    if (kept.plan !== undefined) this.#settle(kept);
    else if (kept.former.length === 0) this.#kept.delete(kept.swarmId);
  }

  /** The node is well: a move that a manager before this one has begun is brought to an end. */
  #settlePlans(engine: Engine, kept: readonly KeptContainer[]): void {
    for (const one of kept) {
      if (one.plan !== undefined && !this.#busy.has(one.swarmId) && engine.state === 'healthy') this.#settle(one);
    }
  }

  #settle(one: KeptContainer): void {
    this.#occupy([one], undefined, async () => {
      await this.#mover.settle(one);
      const now = this.#kept.get(one.swarmId);
      const holder = now && this.#engineOf(now.node);
      if (holder !== undefined) this.#keeper.read(holder, now?.containerId ?? '');
    });
  }

  #putAwayFormer(kept: KeptContainer): void {
    for (const { containerId, node } of kept.former) {
      const engine = this.#engineOf(node);
      if (engine?.state !== 'healthy' || this.#busy.has(kept.swarmId)) continue;
      if (!this.#failures.mayTry(containerId)) continue;
      this.#occupy([kept], engine, async () => {
        await this.#putAway(engine, kept, containerId);
      });
    }
  }

  async #putAway(engine: Engine, kept: KeptContainer, containerId: string): Promise<void> {
    const node = this.#options.identities.nameOf(engine);
    try {
      if (engine.mirror.containers.has(containerId)) {
        const name = await putAway(engine, containerId, { name: kept.name, node });
        this.#news.putAway(engine, { ...kept, containerId }, name);
      }
      this.#failures.remove(containerId);
      const now = this.#kept.get(kept.swarmId);
      const former = now?.former.filter((copy) => copy.containerId !== containerId) ?? [];
      if (now === undefined) return;
      if (now.containerId === '' && former.length === 0) this.#kept.delete(now.swarmId);
      else this.#kept.set({ ...now, former });
    } catch (error) {
      const isFirst = !this.#failures.has(containerId);
      this.#failures.add(containerId, error);
      if (isFirst) this.#news.notPutAway(engine, kept, error);
    }
  }

  /** `engine` is the one that they leave, where they leave one. */
  #occupy(
    members: readonly KeptContainer[],
    engine: Engine | undefined,
    work: (signal: AbortSignal) => Promise<void>,
  ): void {
    for (const { swarmId } of members) this.#busy.set(swarmId, engine);
    this.#options.tasks.spawn('move containers', async (signal) => {
      try {
        await work(signal);
      } finally {
        for (const { swarmId } of members) this.#busy.delete(swarmId);
        this.#wake();
      }
    });
  }

  #byEngine(all: readonly KeptContainer[]): ReadonlyMap<Engine, readonly KeptContainer[]> {
    const byEngine = new Map<Engine, KeptContainer[]>();
    for (const one of all) {
      const engine = one.containerId === '' ? undefined : this.#engineOf(one.node);
      if (engine === undefined) continue;
      const others = byEngine.get(engine);
      if (others === undefined) byEngine.set(engine, [one]);
      else others.push(one);
    }
    return byEngine;
  }

  /** A node that has not answered this manager yet is known by its address alone. */
  #engineOf({ id, address }: NodeReference): Engine | undefined {
    const { identities } = this.#options;
    const engine = identities.find(id) ?? identities.find(address);
    const shown = engine === undefined ? '' : identities.of(engine).id;
    return shown === id || shown === address ? engine : undefined;
  }

  async #untilWoken(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = (): void => {
      woken.abort();
    };
    await pause(this.#timings.lookMs, [signal, woken.signal]);
    // Changes come in bursts.
    await sleep(Math.min(this.#timings.lookMs, shortestPauseMs), signal);
  }
}

function groupKey(members: readonly KeptContainer[]): string {
  return members.map(({ swarmId }) => swarmId).join(' ');
}
