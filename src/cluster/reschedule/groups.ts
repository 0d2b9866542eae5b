// Which containers of a node must move together: those that share a network, volumes, processes or ipc, or are linked.
// A group whose members may not all move stays as a whole. Pure.
import { createReferences } from '../../docker/create-references.ts';
import type { KeptContainer } from './kept-container.ts';

export interface MoveGroup {
  /** Those that others need come first. */
  readonly members: readonly KeptContainer[];
  /** Why it stays; undefined: it may move. */
  readonly obstacle: string | undefined;
}

/** What the mirror still shows of the node; empty where it shows nothing any more. */
export interface NeighbourFacts {
  readonly id: string;
  readonly name: string;
  /** "container:ID" where it uses another one's network. */
  readonly networkMode: string;
  readonly isActive: boolean;
}

/**
 * `kept` are those of one node, `obstacleOf` tells why one of them alone must stay; `neighbours` are all containers of
 * the node.
 */
export function moveGroups(
  kept: readonly KeptContainer[],
  neighbours: readonly NeighbourFacts[],
  obstacleOf: (container: KeptContainer) => string | undefined,
): readonly MoveGroup[] {
  const needs = new Map(kept.map((one) => [one, neededBy(one, kept)]));
  const remaining = new Set(kept);
  const groups: MoveGroup[] = [];
  for (const first of kept) {
    if (!remaining.has(first)) continue;
    const members = connected(first, needs);
    for (const member of members) remaining.delete(member);
    groups.push({
      members: inOrder(members, needs),
      obstacle: obstacleOfGroup(members, { needs, neighbours, obstacleOf }),
    });
  }
  return groups;
}

interface Needs {
  readonly found: readonly KeptContainer[];
  /** References to containers that are not kept. */
  readonly missing: readonly string[];
}

function neededBy(one: KeptContainer, kept: readonly KeptContainer[]): Needs {
  const references = createReferences(one.body).neighbours;
  const find = (reference: string): KeptContainer | undefined =>
    kept.find(({ containerId, name }) => containerId.startsWith(reference) || name === reference);
  return {
    found: references.flatMap((reference) => find(reference) ?? []),
    missing: references.filter((reference) => find(reference) === undefined),
  };
}

function connected(first: KeptContainer, needs: ReadonlyMap<KeptContainer, Needs>): readonly KeptContainer[] {
  const members = new Set([first]);
  // A set hands out what is added while it is walked through.
  for (const member of members) {
    for (const [other, { found }] of needs) {
      if (found.includes(member)) members.add(other);
      if (other === member) for (const needed of found) members.add(needed);
    }
  }
  return [...members];
}

function inOrder(
  members: readonly KeptContainer[],
  needs: ReadonlyMap<KeptContainer, Needs>,
): readonly KeptContainer[] {
  const ordered = new Set<KeptContainer>();
  const visit = (member: KeptContainer, above: readonly KeptContainer[]): void => {
    if (ordered.has(member) || above.includes(member)) return;
    for (const needed of needs.get(member)?.found ?? []) visit(needed, [...above, member]);
    ordered.add(member);
  };
  for (const member of members) visit(member, []);
  return [...ordered];
}

function obstacleOfGroup(
  members: readonly KeptContainer[],
  {
    needs,
    neighbours,
    obstacleOf,
  }: {
    readonly needs: ReadonlyMap<KeptContainer, Needs>;
    readonly neighbours: readonly NeighbourFacts[];
    readonly obstacleOf: (container: KeptContainer) => string | undefined;
  },
): string | undefined {
  const nameOf = (reference: string): string =>
    neighbours.find(({ id, name }) => id.startsWith(reference) || name === reference)?.name ?? reference;
  for (const member of members) {
    const own = obstacleOf(member);
    if (own !== undefined) return members.length === 1 ? own : `it belongs with ${member.name}: ${own}`;
    const [missing] = needs.get(member)?.missing ?? [];
    if (missing !== undefined) return `it belongs with ${nameOf(missing)}, which stays`;
  }
  const modes = new Set(members.flatMap(({ containerId, name }) => [`container:${containerId}`, `container:${name}`]));
  const guest = neighbours.find(
    ({ id, networkMode, isActive }) =>
      isActive && modes.has(networkMode) && !members.some(({ containerId }) => containerId === id),
  );
  return guest === undefined ? undefined : `${guest.name}, which stays, uses its network`;
}
