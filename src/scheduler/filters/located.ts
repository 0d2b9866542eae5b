// What exists on some nodes already draws its users there; what exists on none yet does not.
import type { Node, Requirement } from '../contracts.ts';

/** Nothing when no node has it. `subject` is "volume data" or the like. */
export function locatedRequirement(
  subject: string,
  nodes: readonly Node[],
  has: (node: Node) => boolean,
): readonly Requirement[] {
  if (!nodes.some(has)) return [];
  return [{ description: subject, soft: false, accepts: has, reason: () => `${subject} is not on this node` }];
}
