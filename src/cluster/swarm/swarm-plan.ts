// What is to be done so that all engines are members of one swarm: pure, from what is known now. A swarm is formed only
// when it is certain that there is none, and no engine is ever taken out of a swarm in which it has arrived.
import { swarmMember } from '../../docker/swarm-member.ts';
import { findSwarms } from './swarms.ts';
import type { Swarm, SwarmCandidate } from './swarms.ts';

export interface PlannedEngine extends SwarmCandidate {
  readonly state: string;
}

/** A node as the swarm's managers list it. */
export interface SwarmNode {
  readonly id: string;
  readonly isManager: boolean;
  /** A manager that the others hear of; a worker that can take work. */
  readonly isReachable: boolean;
}

export interface SwarmSituation<E> {
  /** Every member of the cluster in the order of the names. */
  readonly engines: readonly E[];
  readonly nameOf: (engine: E) => string;
  /** The membership has not changed for a while, so that nobody is missing who only announces itself late. */
  readonly isSettled: boolean;
  /** Engines whose join began long ago and is not through. */
  readonly stuck: ReadonlySet<E>;
  /** Engines that failed to join a moment ago. */
  readonly resting: ReadonlySet<E>;
  /** Empty when the swarm did not tell. */
  readonly nodes: readonly SwarmNode[];
  /** Ids of managers that have not been reachable for long. */
  readonly lost: ReadonlySet<string>;
}

export type SwarmStep<E> =
  | { readonly kind: 'form' | 'leave'; readonly engine: E }
  | { readonly kind: 'join'; readonly engine: E; readonly role: 'manager' | 'worker' }
  | { readonly kind: 'promote' | 'demote'; readonly nodeId: string };

export interface SwarmPlan<E> {
  readonly steps: readonly SwarmStep<E>[];
  /** Why there is no swarm yet; '' when there is one. */
  readonly waiting: string;
  /** What keeps an engine out of the swarm, for the operator. */
  readonly notes: ReadonlyMap<E, string>;
}

export function planSwarm<E extends PlannedEngine>(situation: SwarmSituation<E>): SwarmPlan<E> {
  const swarms = findSwarms(situation.engines);
  const swarm = swarms.find(({ managers }) => managers.length > 0);
  const notes = new Map(
    swarms.filter((other) => other !== swarm).flatMap(({ members, id }) => members.map((one) => [one, strayNote(id)])),
  );
  const leaves = situation.engines
    .filter((engine) => engine.state === 'healthy' && situation.stuck.has(engine))
    .map((engine) => ({ kind: 'leave', engine }) as const);
  if (swarm !== undefined)
    return { steps: [...leaves, ...joins(situation, swarm), ...roleChanges(situation, swarm)], waiting: '', notes };
  const waiting = obstacle(situation);
  const [first] = waiting === '' ? situation.engines.filter(isJoinable) : [];
  const form = first === undefined ? [] : [{ kind: 'form', engine: first } as const];
  return { steps: [...leaves, ...form], waiting: waiting === '' ? 'it is being formed' : waiting, notes };
}

/** So many managers that the loss of one, or of two among many, leaves a majority. */
export function wantedManagers(nodes: number): number {
  if (nodes < 3) return 1;
  return nodes < 7 ? 3 : 5;
}

function strayNote(swarmId: string): string {
  return swarmId === ''
    ? 'it is a worker of a swarm whose managers are not known here'
    : `it is a member of another swarm, ${swarmId}`;
}

/** Why a swarm must not be formed just now; '' when it is certain that there is none. */
function obstacle<E extends PlannedEngine>({ engines, nameOf, isSettled }: SwarmSituation<E>): string {
  const namesIn = (wanted: (state: string) => boolean): string =>
    engines
      .filter(({ info }) => wanted(swarmMember(info).state))
      .map(nameOf)
      .join(', ');
  const unknown = namesIn((state) => state === '');
  if (unknown !== '') return `${unknown} might be in one already and has not answered yet`;
  const inside = namesIn((state) => state !== 'inactive');
  if (inside !== '') return `${inside} is in one already, or half in it, and no manager of it is known here`;
  if (!isSettled) return 'members may still be announcing themselves';
  return engines.some(isJoinable) ? '' : 'no node is healthy';
}

function isJoinable({ state, info }: PlannedEngine): boolean {
  return state === 'healthy' && swarmMember(info).state === 'inactive';
}

/** The first ones become managers, until there are enough. */
function joins<E extends PlannedEngine>(situation: SwarmSituation<E>, swarm: Swarm<E>): readonly SwarmStep<E>[] {
  const newcomers = situation.engines.filter((engine) => isJoinable(engine) && !situation.resting.has(engine));
  const managers = swarm.managers.filter(({ state }) => state === 'healthy').length;
  if (managers === 0) return [];
  const missing = wantedManagers(swarm.members.length + newcomers.length) - managers;
  return newcomers.map((engine, index) => ({ kind: 'join', engine, role: index < missing ? 'manager' : 'worker' }));
}

/** A manager that was lost is replaced first and demoted then, so that there is always a majority. */
function roleChanges<E extends PlannedEngine>(
  { nodes, lost, engines }: SwarmSituation<E>,
  swarm: Swarm<E>,
): readonly SwarmStep<E>[] {
  const wanted = wantedManagers(swarm.members.length);
  const managers = nodes.filter(({ isManager }) => isManager);
  const reachable = managers.filter(({ isReachable }) => isReachable).length;
  const [lostManager] = managers.filter(({ id, isReachable }) => !isReachable && lost.has(id));
  const expected = managers.filter(({ id, isReachable }) => isReachable || !lost.has(id)).length;
  if (nodes.length > 0 && expected < wanted && !engines.some(isJoinable)) {
    const healthy = new Set(
      swarm.members.filter(({ state }) => state === 'healthy').map(({ info }) => swarmMember(info).nodeId),
    );
    const successor = nodes.find(({ id, isManager, isReachable }) => !isManager && isReachable && healthy.has(id));
    return successor === undefined ? [] : [{ kind: 'promote', nodeId: successor.id }];
  }
  const isReplaced = lostManager !== undefined && reachable >= wanted;
  return isReplaced ? [{ kind: 'demote', nodeId: lostManager.id }] : [];
}
