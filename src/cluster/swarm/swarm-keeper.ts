// Keeps all engines in one swarm, for an operator who wants networks to span them: looks at where they stand, takes
// the steps of the plan, and looks again. What it remembers only tells what has lasted long from what has just begun.
import { sleep } from '../../common/abort.ts';
import { errorMessage } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { swarmMember } from '../../docker/swarm-member.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../nodes/identity.ts';
import { changeRole, formSwarm, joinSwarm, leaveSwarm, readSwarmNodes } from './swarm-calls.ts';
import { planSwarm } from './swarm-plan.ts';
import type { SwarmNode, SwarmPlan, SwarmStep } from './swarm-plan.ts';
import type { Swarms } from './swarms.ts';

/** All in milliseconds. */
export interface SwarmTimings {
  /** Between two looks. */
  readonly lookMs: number;
  /** The membership must have been the same for so long before a swarm is formed; agents come back within two seconds. */
  readonly settleMs: number;
  /** A join that is not through by then is begun anew. */
  readonly stuckMs: number;
  /** A manager that has not been reachable for so long is replaced. */
  readonly lostMs: number;
  /** Before an engine that could not join tries again. */
  readonly restMs: number;
}

const defaultTimings: SwarmTimings = {
  lookMs: 1_000,
  settleMs: 5_000,
  stuckMs: 15_000,
  lostMs: 20_000,
  restMs: 10_000,
};

export interface SwarmKeeperOptions {
  readonly engines: () => readonly Engine[];
  readonly swarms: Swarms<Engine>;
  readonly identities: Identities;
  readonly isReady: () => boolean;
  readonly logger: Logger;
  readonly timings?: Partial<SwarmTimings> | undefined;
}

/** So many workers join at a time. */
const joinConcurrency = 8;

export class SwarmKeeper {
  readonly #options: SwarmKeeperOptions;
  readonly #timings: SwarmTimings;
  readonly #stuck = new Lasting<Engine>();
  readonly #lost = new Lasting<string>();
  readonly #members = new Lasting<string>();
  readonly #failures = new Map<Engine, { readonly text: string; readonly at: number }>();
  #notes: ReadonlyMap<Engine, string> = new Map();
  #waiting = 'it is being looked for';

  constructor(options: SwarmKeeperOptions) {
    this.#options = options;
    this.#timings = { ...defaultTimings, ...options.timings };
  }

  /** Why there is no swarm yet. */
  get waiting(): string {
    return this.#waiting;
  }

  /** What keeps the engine out of the swarm; undefined when nothing is known to. */
  noteOf(engine: Engine): string | undefined {
    return this.#failures.get(engine)?.text ?? this.#notes.get(engine);
  }

  /** Looks and acts until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#options.isReady()) await this.#look(signal);
      await sleep(this.#timings.lookMs, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { steps, waiting, notes } = await this.#plan(signal);
    this.#waiting = waiting;
    this.#notes = notes;
    const managers = steps.filter((step) => step.kind !== 'join' || step.role === 'manager');
    for (const step of managers) await this.#take(step, signal);
    const workers = steps.filter((step) => !managers.includes(step));
    await Promise.all(workers.slice(0, joinConcurrency).map((step) => this.#take(step, signal)));
  }

  async #plan(signal: AbortSignal): Promise<SwarmPlan<Engine>> {
    const { settleMs, stuckMs, lostMs, restMs } = this.#timings;
    const { identities } = this.#options;
    const engines = this.#options.engines();
    const nodes = await this.#readNodes(signal);
    const unreachable = nodes.filter(({ isManager, isReachable }) => isManager && !isReachable);
    return planSwarm({
      engines,
      nameOf: (engine) => identities.nameOf(engine),
      isSettled: this.#members.update([engines.map(({ address }) => address).join(' ')], settleMs).size > 0,
      stuck: this.#stuck.update(engines.filter(isHalfJoined), stuckMs),
      resting: new Set([...this.#failures].filter(([, { at }]) => performance.now() - at < restMs).map(([one]) => one)),
      nodes,
      lost: this.#lost.update(
        unreachable.map(({ id }) => id),
        lostMs,
      ),
    });
  }

  /** Empty when no manager tells, for instance because the swarm has no leader. */
  async #readNodes(signal: AbortSignal): Promise<readonly SwarmNode[]> {
    const [manager] = this.#managers();
    if (manager === undefined) return [];
    try {
      return await readSwarmNodes(manager, signal);
    } catch (error) {
      this.#options.logger.debug('the nodes of the swarm cannot be read', { error: errorMessage(error) });
      return [];
    }
  }

  #managers(): readonly Engine[] {
    const swarm = this.#options.swarms.all.find(({ managers }) => managers.length > 0);
    return (swarm?.managers ?? []).filter(({ state }) => state === 'healthy');
  }

  async #take(step: SwarmStep<Engine>, signal: AbortSignal): Promise<void> {
    const { logger, identities } = this.#options;
    const engine = 'engine' in step ? step.engine : undefined;
    const subject = 'nodeId' in step ? { swarmNode: step.nodeId } : { node: identities.nameOf(step.engine) };
    try {
      await this.#carryOut(step, signal);
      logger.info('the swarm was changed', { step: step.kind, ...subject });
      if (engine !== undefined) this.#failures.delete(engine);
    } catch (error) {
      if (signal.aborted) return;
      const text = errorMessage(error);
      const isNews = engine === undefined || this.#failures.get(engine)?.text !== text;
      if (isNews) logger.warn('the swarm could not be changed', { step: step.kind, ...subject, error: text });
      if (engine !== undefined) this.#failures.set(engine, { text, at: performance.now() });
    }
  }

  async #carryOut(step: SwarmStep<Engine>, signal: AbortSignal): Promise<void> {
    const managers = this.#managers();
    switch (step.kind) {
      case 'form': {
        const hosts = this.#options.engines().map(({ host }) => host);
        await formSwarm(step.engine, hosts, signal);
        return;
      }
      case 'join':
        await joinSwarm(step, managers, signal);
        return;
      case 'leave':
        await leaveSwarm(step.engine, signal);
        return;
      case 'promote':
      case 'demote':
        await changeRole(step, managers, signal);
        return;
    }
  }
}

/** Its join began and did not come through: it has no name in the swarm yet. */
function isHalfJoined({ info }: Engine): boolean {
  const { state, nodeId } = swarmMember(info);
  return (state === 'pending' || state === 'error') && nodeId === '';
}

/** Since when things have been as they are. */
class Lasting<T> {
  readonly #since = new Map<T, number>();

  /** `present` is all that is so now; answers with what has been so for `ms`. */
  update(present: readonly T[], ms: number): ReadonlySet<T> {
    const now = performance.now();
    for (const known of [...this.#since.keys()]) if (!present.includes(known)) this.#since.delete(known);
    for (const one of present) if (!this.#since.has(one)) this.#since.set(one, now);
    return new Set(present.filter((one) => now - (this.#since.get(one) ?? now) >= ms));
  }
}
