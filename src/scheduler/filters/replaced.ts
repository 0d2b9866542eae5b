// The container whose place the new one takes, as far as it is on a node.
import type { Node, NodeContainer, PlacementRequest } from '../contracts.ts';

export function replacedOn(node: Node, { replaces }: PlacementRequest): NodeContainer | undefined {
  return replaces === undefined ? undefined : node.findContainer(replaces);
}
