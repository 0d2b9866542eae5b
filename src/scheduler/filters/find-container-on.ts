// Looks a container up on one node by everything a user may write for it.
import type { Node, NodeContainer } from '../contracts.ts';

/** By id, id prefix, `name`, `/name` or `node/name`, where the part before the slash is the node's name or id. */
export function findContainerOn(node: Node, reference: string): NodeContainer | undefined {
  const plain = reference.startsWith('/') ? reference.slice(1) : reference;
  const slash = plain.indexOf('/');
  if (slash === -1) return node.findContainer(plain);
  const owner = plain.slice(0, slash);
  return owner === node.name || owner === node.id ? node.findContainer(plain.slice(slash + 1)) : undefined;
}
