// What of a node's containers may leave it for a given reason, in the groups that move together, and what stays with
// which obstacle. Changes nothing.
import { goMember } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import { moveGroups, type MoveGroup, type NeighbourFacts } from './groups.ts';
import type { KeptContainer, MoveReason } from './kept-container.ts';

/** A container that a node which is being emptied keeps. */
export interface StayingContainer {
  readonly containerId: string;
  readonly name: string;
  readonly reason: string;
}

export interface Leaving {
  readonly reason: MoveReason;
  readonly isDrained: boolean;
}

/** `kept` are those of `engine`. */
export function leavingGroups(
  engine: Engine,
  kept: readonly KeptContainer[],
  { reason, isDrained }: Leaving,
): readonly MoveGroup[] {
  const mayLeave = isDrained
    ? ({ onDrain, onNodeFailure }: KeptContainer): boolean => onDrain || (reason !== 'drain' && onNodeFailure)
    : ({ onNodeFailure }: KeptContainer): boolean => onNodeFailure;
  const neighbours = [...engine.mirror.containers.values()].map(toNeighbour);
  const groups = moveGroups(kept, neighbours, (one) => {
    if (!mayLeave(one)) return `it was not created with reschedule:on-${reason === 'drain' ? 'drain' : 'node-failure'}`;
    if (removesItself(one)) return 'it is removed when it ends';
    return one.localData.length > 0 ? `its data is on the node: ${one.localData.join(', ')}` : undefined;
  });
  return groups.map((group) => {
    const isActive = group.members.some((one) => ranAtTheEnd(one, engine));
    return isActive ? group : { ...group, obstacle: group.obstacle ?? 'it does not run' };
  });
}

/** Containers of the node that nothing is kept of, as they were not made to leave. */
export function unasked(
  engine: Engine,
  kept: readonly KeptContainer[],
  reason: MoveReason,
): readonly StayingContainer[] {
  const known = new Set(kept.map(({ containerId }) => containerId));
  const wish = reason === 'drain' ? 'reschedule:on-drain' : 'reschedule:on-node-failure';
  return [...engine.mirror.containers.values()]
    .filter(({ id, row }) => !known.has(id) && isRunning(row.State))
    .map(({ id, name }) => ({ containerId: id, name, reason: `it was not created with ${wish}` }));
}

/** A machine that goes down in order ends its containers before it is lost: a service that ended so lately ran. */
const endOfNodeMs = 30_000;

export function ranAtTheEnd({ containerId, isActive, endedAtMs, body }: KeptContainer, engine: Engine): boolean {
  // The mirror may know of a start that could not be read any more.
  if (isActive || isRunning(engine.mirror.containers.get(containerId)?.row.State)) return true;
  const policy = goMember(goMember(goMember(body, 'HostConfig'), 'RestartPolicy'), 'Name');
  const isService = policy === 'always' || policy === 'unless-stopped';
  if (!isService || endedAtMs === undefined || engine.state === 'healthy' || engine.updatedAt === undefined)
    return false;
  return engine.updatedAt.getTime() - endedAtMs < endOfNodeMs;
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
