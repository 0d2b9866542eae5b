// Copies of one Compose service prefer nodes without another copy, so that the loss of a node takes one of them.
// A container that chose its own strategy is left to it.
import type { Filter, Node } from '../contracts.ts';
import { isReplicaOf, replicaGroup, type ReplicaGroup } from '../replica-group.ts';

export const replicasFilter: Filter = {
  name: 'replicas',
  requirements: (request) => {
    const group = replicaGroup(request);
    if (group === undefined || request.strategy !== undefined) return [];
    return [
      {
        description: `no other copy of service ${group.service}`,
        soft: true,
        accepts: (node) => !hasReplica(node, group),
      },
    ];
  },
};

function hasReplica(node: Node, group: ReplicaGroup): boolean {
  for (const container of node.containers()) if (isReplicaOf(group, container)) return true;
  return false;
}
