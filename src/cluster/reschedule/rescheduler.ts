// Repairs the loss of nodes and empties nodes that are drained: decides which containers leave which node and when, and
// what of their older copies is to be put away. A node is lost only when discovery and the manager's own connection
// both say so for the time of grace; everything here can be found again from the store and the engines.
import type { StateStore } from '../../../discovery/state-store.ts';
import { sleep } from '../../common/abort.ts';
import { Backoff } from '../../common/backoff.ts';
import { errorMessage } from '../../common/errors.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import type { Logger } from '../../common/logger.ts';
import { goMember } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { ContainerIndex } from '../index/container-index.ts';
import type { Identities } from '../nodes/identity.ts';
import { NoRoom } from '../create/no-room.ts';
import type { KnownSettings } from '../nodes/node-settings.ts';
import { Brake } from './brake.ts';
import { ContainerKeeper } from './container-keeper.ts';
import { moveGroups, type MoveGroup, type NeighbourFacts } from './groups.ts';
import type { KeptContainer, MoveReason, NodeReference } from './kept-container.ts';
import { KeptContainers } from './kept-containers.ts';
import { CopyFailed, Mover, type MoverOptions, type MoverTimings } from './mover.ts';
import { putAway } from './put-away.ts';

export interface RescheduleTimings extends MoverTimings {
  /** Between two looks at the nodes. */
  readonly lookMs: number;
  /** How long a node must have been lost. */
  readonly graceMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
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
  readonly events: EventHub;
  readonly tasks: TaskSet;
  readonly logger: Logger;
  /** Only the primary of several managers repairs. */
  readonly isPrimary: () => boolean;
  readonly timings?: Partial<RescheduleTimings> | undefined;
}

/** A container that a node which is being emptied keeps. */
export interface StayingContainer {
  readonly containerId: string;
  readonly name: string;
  readonly reason: string;
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
  readonly #brake = new Brake();
  readonly #silentSince = new Map<Engine, number>();
  /** Swarm ids of containers that something is being done with. */
  readonly #busy = new Map<string, Engine | undefined>();
  readonly #failures = new Map<string, Failure>();
  #isLeading = false;
  #wake: () => void = () => undefined;

  constructor(options: ReschedulerOptions) {
    const { store, tasks, logger, isPrimary, containers, identities, create } = options;
    this.#options = options;
    this.#timings = { ...defaultRescheduleTimings, ...options.timings };
    this.#kept = new KeptContainers({ store, tasks, logger, mayWrite: isPrimary });
    const kept = this.#kept;
    const onChange = (): void => {
      this.#wake();
    };
    this.#keeper = new ContainerKeeper({ kept, containers, identities, tasks, logger, onChange });
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
    const waiting = [...this.#failures.values()].filter(({ isForRoom }) => isForRoom);
    for (const failure of waiting) failure.notBeforeMs = Math.min(failure.notBeforeMs, failure.soonestMs);
  }

  /** What a node that is drained or lost keeps, and why; empty for every other. */
  staysOn(engine: Engine): readonly StayingContainer[] {
    const reason = this.#reasonToLeave(engine) ?? this.#plannedReason(engine);
    if (reason === undefined) return [];
    const kept = this.#keptOn(engine);
    const groups = this.#groups(engine, kept, reason);
    const waits = this.#isFrozen(engine) ? 'too many nodes were lost at once' : 'it is about to be moved';
    const staying = groups.flatMap(({ members, obstacle }) => {
      const why = obstacle ?? this.#failures.get(groupKey(members))?.text ?? waits;
      return members.map(({ containerId, name }) => ({ containerId, name, reason: why }));
    });
    const known = new Set(kept.map(({ containerId }) => containerId));
    const others = [...engine.mirror.containers.values()].filter(
      ({ id, row }) => !known.has(id) && isRunning(row.State),
    );
    const unasked = reason === 'drain' ? 'reschedule:on-drain' : 'reschedule:on-node-failure';
    return [
      ...staying,
      ...others.map(({ id, name }) => ({ containerId: id, name, reason: `it was not created with ${unasked}` })),
    ];
  }

  /** The node was taken out of the cluster for good. */
  forgetNode(engine: Engine): void {
    this.#keeper.forgetNode((node) => this.#engineOf(node) === engine);
  }

  /** True while the node is lost together with too many others for anything to be moved. */
  #isFrozen(engine: Engine): boolean {
    return this.#brake.isFrozen(engine.address);
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
    const { engines } = this.#options;
    this.#followSilence(engines());
    const all = [...this.#kept.all()];
    for (const [engine, kept] of this.#byEngine(all)) {
      const reason = this.#reasonToLeave(engine);
      if (engine.state === 'healthy') this.#keeper.dropAbsent(engine, kept);
      if (reason === undefined) this.#settlePlans(engine, kept);
      else this.#leave(engine, kept, reason);
    }
    for (const kept of all) {
      if (kept.containerId === '') this.#endRemoved(kept);
      this.#putAwayFormer(kept);
    }
  }

  #followSilence(engines: readonly Engine[]): void {
    const now = performance.now();
    for (const engine of [...this.#silentSince.keys()])
      if (engine.state !== 'unhealthy') this.#silentSince.delete(engine);
    for (const engine of engines)
      if (engine.state === 'unhealthy' && !this.#silentSince.has(engine)) this.#silentSince.set(engine, now);
    const lost = [...this.#silentSince.keys()].filter(({ isVouchedFor }) => !isVouchedFor);
    const frozen = this.#brake.update(new Set(lost.map(({ address }) => address)), engines.length, now);
    for (const engine of lost) if (frozen.includes(engine.address)) this.#tellFrozen(engine, lost.length);
  }

  #tellFrozen(engine: Engine, lost: number): void {
    const { events, identities, logger } = this.#options;
    const { id, name } = identities.of(engine);
    const reason = `${lost} nodes were lost within a minute: nothing is moved until they are back or drained`;
    logger.error('too many nodes were lost at once: their containers are not moved', { node: name, lost });
    events.announce(engine, { type: 'node', action: 'reschedule.frozen', id, attributes: { name, reason } });
  }

  /** undefined: the node keeps its containers. */
  #reasonToLeave(engine: Engine): MoveReason | undefined {
    const isDrained = this.#isDrained(engine);
    if (engine.state === 'healthy') return isDrained ? 'drain' : undefined;
    const now = performance.now();
    const { graceMs } = this.#timings;
    // Whoever drains a node that is silent says that it is gone.
    if (isDrained) {
      const since = this.#silentSince.get(engine);
      return since !== undefined && now - since >= graceMs ? 'node failure' : undefined;
    }
    const lostMs = this.#brake.lostForMs(engine.address, now);
    const isLost = lostMs !== undefined && lostMs >= graceMs && !this.#isFrozen(engine);
    return isLost ? 'node failure' : undefined;
  }

  /** Of a node that is lost and still within its grace, for reports. */
  #plannedReason(engine: Engine): MoveReason | undefined {
    return this.#brake.lostForMs(engine.address, performance.now()) === undefined ? undefined : 'node failure';
  }

  #isDrained(engine: Engine): boolean {
    const { identities, settingsOf } = this.#options;
    return settingsOf(identities.of(engine).id).availability === 'drain';
  }

  #groups(engine: Engine, kept: readonly KeptContainer[], reason: MoveReason): readonly MoveGroup[] {
    const mayLeave = this.#isDrained(engine)
      ? ({ onDrain, onNodeFailure }: KeptContainer): boolean => onDrain || (reason !== 'drain' && onNodeFailure)
      : ({ onNodeFailure }: KeptContainer): boolean => onNodeFailure;
    const neighbours = [...engine.mirror.containers.values()].map(toNeighbour);
    const groups = moveGroups(kept, neighbours, (one) => {
      if (!mayLeave(one))
        return `it was not created with reschedule:on-${reason === 'drain' ? 'drain' : 'node-failure'}`;
      if (removesItself(one)) return 'it is removed when it ends';
      return one.localData.length > 0 ? `its data is on the node: ${one.localData.join(', ')}` : undefined;
    });
    return groups.map((group) => {
      const isActive = group.members.some((one) => ranAtTheEnd(one, engine));
      return isActive ? group : { ...group, obstacle: group.obstacle ?? 'it does not run' };
    });
  }

  #leave(engine: Engine, kept: readonly KeptContainer[], reason: MoveReason): void {
    for (const { members, obstacle } of this.#groups(engine, kept, reason)) {
      if (obstacle !== undefined || members.some(({ swarmId }) => this.#busy.has(swarmId))) continue;
      const onEngine = [...this.#busy.values()].filter((other) => other === engine).length;
      if (reason === 'drain' ? onEngine > 0 : this.#busy.size >= movesAtOnce) return;
      const failure = this.#failures.get(groupKey(members));
      if (failure !== undefined && !this.#mayTryAgain(failure, engine)) continue;
      this.#occupy(members, engine, async (signal) => {
        await this.#move(engine, members, reason, signal);
      });
    }
  }

  #mayTryAgain({ notBeforeMs, settings }: Failure, engine: Engine): boolean {
    const isAnewByOperator = settings !== undefined && settings !== this.#settingsOf(engine);
    return isAnewByOperator || (settings === undefined && notBeforeMs <= performance.now());
  }

  async #move(
    engine: Engine,
    members: readonly KeptContainer[],
    reason: MoveReason,
    signal: AbortSignal,
  ): Promise<void> {
    const key = groupKey(members);
    const from = this.#options.identities.nameOf(engine);
    const isFirst = !this.#failures.has(key);
    if (isFirst) for (const member of members) this.#tell(engine, member, 'planned', { from, reason });
    const isStillThere = ({ swarmId, containerId }: KeptContainer): boolean =>
      this.#kept.get(swarmId)?.containerId === containerId;
    try {
      const copies = await this.#mover.move(
        {
          members,
          reason,
          isStarted: (member) => ranAtTheEnd(member, engine),
          mayGoOn: () =>
            this.#options.isPrimary() && members.every(isStillThere) && this.#reasonToLeave(engine) === reason,
          isLost: (other) => this.#reasonToLeave(other) === 'node failure',
        },
        signal,
      );
      this.#failures.delete(key);
      for (const { member, engine: target } of copies) {
        const to = this.#options.identities.nameOf(target);
        this.#options.logger.info('a container was moved', { container: member.name, from, to, reason });
        this.#tell(engine, member, 'done', { from, to, reason });
      }
      for (const copy of copies) this.#keeper.read(copy.engine, copy.containerId);
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(engine, members, { reason, error });
    }
  }

  #failed(
    engine: Engine,
    members: readonly KeptContainer[],
    { reason, error }: { readonly reason: MoveReason; readonly error: unknown },
  ): void {
    const { retryMinMs, retryMaxMs } = this.#timings;
    const key = groupKey(members);
    const known = this.#failures.get(key);
    const backoff = known?.backoff ?? new Backoff({ initialMs: retryMinMs, maxMs: retryMaxMs });
    const text = errorMessage(error);
    this.#failures.set(key, {
      text,
      backoff,
      isForRoom: error instanceof NoRoom,
      notBeforeMs: performance.now() + backoff.next(),
      soonestMs: performance.now() + retryMinMs,
      settings: error instanceof CopyFailed ? this.#settingsOf(engine) : undefined,
    });
    if (known?.text === text) return;
    const from = this.#options.identities.nameOf(engine);
    for (const member of members) {
      this.#options.logger.warn('a container could not be moved', {
        container: member.name,
        from,
        reason,
        error: text,
      });
      this.#tell(engine, member, 'failed', { from, reason, error: text });
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
      const failure = this.#failures.get(containerId);
      if (failure !== undefined && failure.notBeforeMs > performance.now()) continue;
      this.#occupy([kept], engine, async () => {
        await this.#putAway(engine, kept, containerId);
      });
    }
  }

  async #putAway(engine: Engine, kept: KeptContainer, containerId: string): Promise<void> {
    const { identities, logger } = this.#options;
    const node = identities.nameOf(engine);
    try {
      const isThere = engine.mirror.containers.has(containerId);
      if (isThere) {
        const name = await putAway(engine, containerId, { name: kept.name, node });
        logger.info('an older copy of a container was put away', { container: kept.name, node, name });
        this.#tell(engine, { ...kept, containerId }, 'stale', { from: node, stale: name });
      }
      this.#failures.delete(containerId);
      const now = this.#kept.get(kept.swarmId);
      const former = now?.former.filter((copy) => copy.containerId !== containerId) ?? [];
      if (now === undefined) return;
      if (now.containerId === '' && former.length === 0) this.#kept.delete(now.swarmId);
      else this.#kept.set({ ...now, former });
    } catch (error) {
      const { retryMinMs, retryMaxMs } = this.#timings;
      const text = errorMessage(error);
      const known = this.#failures.get(containerId);
      if (known === undefined)
        logger.warn('an older copy of a container could not be put away', { container: kept.name, node, error: text });
      const backoff = known?.backoff ?? new Backoff({ initialMs: retryMinMs, maxMs: retryMaxMs });
      const notBeforeMs = performance.now() + backoff.next();
      const failure = { text, backoff, isForRoom: false, notBeforeMs, soonestMs: notBeforeMs, settings: undefined };
      this.#failures.set(containerId, failure);
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

  #tell(
    engine: Engine,
    { containerId, name, swarmId }: KeptContainer,
    what: string,
    facts: Readonly<Record<string, string>>,
  ): void {
    const attributes = { name, ...facts, 'com.docker.swarm.id': swarmId };
    this.#options.events.announce(engine, {
      type: 'container',
      action: `reschedule.${what}`,
      id: containerId,
      attributes,
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

  #keptOn(engine: Engine): readonly KeptContainer[] {
    return this.#byEngine([...this.#kept.all()]).get(engine) ?? [];
  }

  /** A node that has not answered this manager yet is known by its address alone. */
  #engineOf({ id, address }: NodeReference): Engine | undefined {
    const { identities } = this.#options;
    const engine = identities.find(id) ?? identities.find(address);
    const shown = engine === undefined ? '' : identities.of(engine).id;
    return shown === id || shown === address ? engine : undefined;
  }

  #settingsOf(engine: Engine): KnownSettings {
    const { identities, settingsOf } = this.#options;
    return settingsOf(identities.of(engine).id);
  }

  async #untilWoken(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = (): void => {
      woken.abort();
    };
    await sleep(this.#timings.lookMs, AbortSignal.any([signal, woken.signal]));
    // Changes come in bursts.
    await sleep(Math.min(this.#timings.lookMs, shortestPauseMs), signal);
  }
}

interface Failure {
  readonly text: string;
  readonly backoff: Backoff;
  readonly isForRoom: boolean;
  /** `performance.now()` */
  notBeforeMs: number;
  /** Room that appears is not used sooner. */
  readonly soonestMs: number;
  /** Those of the node under which it failed for good: only an operator's next word begins anew. */
  readonly settings: KnownSettings | undefined;
}

function groupKey(members: readonly KeptContainer[]): string {
  return members.map(({ swarmId }) => swarmId).join(' ');
}

function toNeighbour({ id, name, row, details }: ContainerRecord): NeighbourFacts {
  return { id, name, networkMode: details?.networkMode ?? '', isActive: isRunning(row.State) };
}

function isRunning(state: string | undefined): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

function removesItself({ body }: KeptContainer): boolean {
  return goMember(goMember(body, 'HostConfig'), 'AutoRemove') === true;
}

/** A machine that goes down in order ends its containers before it is lost: a service that ended so lately ran. */
const endOfNodeMs = 30_000;

function ranAtTheEnd({ containerId, isActive, endedAtMs, body }: KeptContainer, engine: Engine): boolean {
  // The mirror may know of a start that could not be read any more.
  if (isActive || isRunning(engine.mirror.containers.get(containerId)?.row.State)) return true;
  const policy = goMember(goMember(goMember(body, 'HostConfig'), 'RestartPolicy'), 'Name');
  const isService = policy === 'always' || policy === 'unless-stopped';
  if (!isService || endedAtMs === undefined || engine.state === 'healthy' || engine.updatedAt === undefined)
    return false;
  return engine.updatedAt.getTime() - endedAtMs < endOfNodeMs;
}
