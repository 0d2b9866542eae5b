// Makes a group of containers anew on other nodes. What is planned is in the store before anything is made, and a copy is
// known by its generation, so that a manager that takes over goes on with what it finds. Nothing of the former copies
// is touched here.
import { ApiError, errorMessage } from '../../common/errors.ts';
import { sleep } from '../../common/abort.ts';
import type { Logger } from '../../common/logger.ts';
import { rewriteReferences } from '../../docker/create-references.ts';
import { textMapMember, withGoMember } from '../../docker/go-member.ts';
import type { CreateBody } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineUnreachable } from '../../engine/unreachable.ts';
import type { ContainerCreateCall, CreatedContainer } from '../calls.ts';
import { readSoon } from '../engine-word.ts';
import { generationOf, type ContainerIndex } from '../index/container-index.ts';
import type { Identities } from '../nodes/identity.ts';
import { generationLabel } from '../swarm-labels.ts';
import type { KeptContainer, MovePlan, MoveReason, NodeReference } from './kept-container.ts';
import type { KeptContainers } from './kept-containers.ts';

export interface MoverTimings {
  /** A container without a health check counts as healthy when it has run for so long. */
  readonly runningMs: number;
  /** A copy that is not healthy by then is given up. */
  readonly healthyWithinMs: number;
  readonly pollMs: number;
}

export interface MoverOptions {
  readonly kept: KeptContainers;
  readonly containers: ContainerIndex;
  readonly identities: Identities;
  readonly create: (call: ContainerCreateCall) => Promise<CreatedContainer>;
  readonly logger: Logger;
  /** Only the primary changes anything. */
  readonly mayWrite: () => boolean;
  readonly timings: MoverTimings;
}

export interface Move {
  /** Those that others need come first. */
  readonly members: readonly KeptContainer[];
  readonly reason: MoveReason;
  /** Of the others a copy is made and left as it is. */
  readonly isStarted: (member: KeptContainer) => boolean;
  /** Asked between the steps: false calls the move off, and what was made for it is removed. */
  readonly mayGoOn: () => boolean;
  /** A node that does not come back by itself. */
  readonly isLost: (engine: Engine) => boolean;
}

export interface Copy {
  readonly member: KeptContainer;
  readonly engine: Engine;
  readonly containerId: string;
  readonly plan: MovePlan;
}

/** The copy was made and is no good: to try again at once would be of no use. */
export class CopyFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CopyFailed';
  }
}

const startTimeoutMs = 120_000;

export class Mover {
  readonly #options: MoverOptions;

  constructor(options: MoverOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the copies, which from then on are the current ones. Throws when there is no room or a copy is no
   * good; then all copies have been removed again, or will be found by the next attempt.
   */
  async move(move: Move, signal: AbortSignal): Promise<readonly Copy[]> {
    const { kept } = this.#options;
    const planned = move.members.map((member) => ({ member, plan: this.#plan(member, move) }));
    for (const { member, plan } of planned) kept.set({ ...member, plan });
    await kept.flush(signal);
    const copies: Copy[] = [];
    try {
      for (const { member, plan } of planned) {
        assertGoesOn(move);
        copies.push(await this.#copyOf(member, plan, { copies, signal }));
      }
      const started = copies.filter(({ member }) => move.isStarted(member));
      for (const copy of started) await this.#start(copy);
      // Copies of what was lost go on from here, though the node may be back: what it ran may have ended with it.
      if (move.reason === 'drain') {
        for (const copy of started) await this.#untilHealthy(copy, move, signal);
        assertGoesOn(move);
      }
    } catch (error) {
      // What a primary leaves undone is the next one's to find.
      if (!signal.aborted && this.#options.mayWrite()) await this.#undo(copies, planned.length);
      throw error;
    }
    for (const copy of copies) this.#makeCurrent(copy);
    await kept.flush(signal);
    return copies;
  }

  /** Ends a plan that nobody carries out any more: a copy that was started stays, any other is removed. */
  async settle(member: KeptContainer): Promise<void> {
    const { kept, containers } = this.#options;
    const { plan } = member;
    if (plan === undefined) return;
    const found = containers.withSwarmId(member.swarmId).find(({ record }) => generationOf(record) === plan.generation);
    if (found === undefined) {
      kept.set({ ...member, plan: undefined });
      return;
    }
    const copy = { member, plan, engine: found.engine, containerId: found.record.id };
    if (found.record.details?.startedAtMs !== undefined) this.#makeCurrent(copy);
    else if (found.engine.state === 'healthy') await this.#undo([copy], 1);
  }

  /** A plan that is there already is gone on with, unless its copy was lost with another node. */
  #plan(member: KeptContainer, { reason, isLost }: Move): MovePlan {
    const known = member.plan;
    if (known === undefined) return { reason, generation: member.generation + 1 };
    const copies = this.#options.containers.withSwarmId(member.swarmId);
    const made = copies.find(({ record }) => generationOf(record) === known.generation);
    return made !== undefined && isLost(made.engine) ? { reason, generation: known.generation + 1 } : known;
  }

  async #copyOf(
    member: KeptContainer,
    plan: MovePlan,
    { copies, signal }: { readonly copies: readonly Copy[]; readonly signal: AbortSignal },
  ): Promise<Copy> {
    const { containers, create } = this.#options;
    const found = containers.withSwarmId(member.swarmId).find(({ record }) => generationOf(record) === plan.generation);
    if (found !== undefined) {
      if (found.engine.state !== 'healthy')
        throw new Error(`its copy is on ${found.engine.name}, which does not answer`);
      return { member, plan, engine: found.engine, containerId: found.record.id };
    }
    const { engine, id } = await create({
      body: bodyOf(member, plan, copies),
      name: member.name,
      headers: {},
      version: member.version,
      signal,
      succession: { swarmId: member.swarmId, discardedVolumes: member.localVolumes },
    });
    return { member, plan, engine, containerId: id };
  }

  async #start({ engine, containerId }: Copy): Promise<void> {
    await engine.client.request({
      method: 'POST',
      path: `/containers/${containerId}/start`,
      timeoutMs: startTimeoutMs,
    });
    await readSoon(engine, containerId);
  }

  async #untilHealthy({ engine, containerId }: Copy, move: Move, signal: AbortSignal): Promise<void> {
    const { runningMs, healthyWithinMs, pollMs } = this.#options.timings;
    const since = performance.now();
    for (;;) {
      assertGoesOn(move);
      signal.throwIfAborted();
      const details = engine.mirror.containers.get(containerId)?.details;
      const waitedMs = performance.now() - since;
      const hasEnded = details !== undefined && !details.isRunning;
      if (hasEnded) throw new CopyFailed(`its replacement ended with exit code ${details.exitCode}`);
      if (details?.health === 'healthy') return;
      if (details?.health === undefined && details?.isRestarting !== true && waitedMs >= runningMs) return;
      if (details?.health === 'unhealthy' || waitedMs >= healthyWithinMs)
        throw new CopyFailed('its replacement did not become healthy');
      await sleep(pollMs, signal);
    }
  }

  #makeCurrent({ member, plan, engine, containerId }: Copy): void {
    const { kept } = this.#options;
    const now = kept.get(member.swarmId) ?? member;
    const old = now.containerId === '' ? [] : [{ containerId: now.containerId, node: now.node }];
    kept.set({
      ...now,
      containerId,
      node: this.#reference(engine),
      generation: plan.generation,
      plan: undefined,
      former: [...now.former, ...old],
    });
  }

  /** The plan ends only when every copy is known to be gone; else the next attempt finds them. */
  async #undo(copies: readonly Copy[], planned: number): Promise<void> {
    const { kept, logger } = this.#options;
    const members = new Set(copies.map(({ member }) => member.swarmId));
    for (const { engine, containerId, member } of [...copies].reverse()) {
      try {
        await removeCopy(engine, containerId);
      } catch (error) {
        members.delete(member.swarmId);
        logger.warn('a copy of a container could not be removed', {
          container: containerId,
          error: errorMessage(error),
        });
      }
    }
    if (copies.length < planned) return;
    for (const swarmId of members) {
      const now = kept.get(swarmId);
      if (now !== undefined) kept.set({ ...now, plan: undefined });
    }
  }

  #reference(engine: Engine): NodeReference {
    return { ...this.#options.identities.of(engine), address: engine.address };
  }
}

function assertGoesOn({ mayGoOn }: Move): void {
  if (!mayGoOn()) throw new Error('the move was called off');
}

function bodyOf(member: KeptContainer, plan: MovePlan, copies: readonly Copy[]): CreateBody {
  const labels = { ...textMapMember(member.body, 'Labels'), [generationLabel]: String(plan.generation) };
  return rewriteReferences(withGoMember(member.body, 'Labels', labels), (kind, reference) => {
    if (kind !== 'container') return reference;
    const copy = copies.find(
      ({ member: { containerId, name } }) => containerId.startsWith(reference) || name === reference,
    );
    return copy?.containerId ?? reference;
  });
}

/** Its anonymous volumes go with it only when nothing was ever written to them. */
async function removeCopy(engine: Engine, containerId: string): Promise<void> {
  const wasStarted = engine.mirror.containers.get(containerId)?.details?.startedAtMs !== undefined;
  const query = wasStarted ? { force: '1' } : { v: '1' };
  try {
    await engine.client.request({ method: 'DELETE', path: `/containers/${containerId}`, query });
  } catch (error) {
    const isGone = error instanceof ApiError && !(error instanceof EngineUnreachable) && error.status === 404;
    if (!isGone) throw error;
  }
  engine.containerRemoved(containerId);
}
