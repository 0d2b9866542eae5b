// Copies of one Compose service prefer nodes without another copy, so that the loss of a node takes one of them.
// A container that chose its own strategy is left to it.
import type { Filter, Node } from '../contracts.ts';
import { NodeMemo } from '../node-memo.ts';
import { isReplicaOf, replicaGroup, type ReplicaGroup } from '../replica-group.ts';

export function createReplicasFilter(): Filter {
  const memo = new NodeMemo();
  return {
    name: 'replicas',
    requirements: (request) => {
      const group = replicaGroup(request);
      if (group === undefined || request.strategy !== undefined) return [];
      const key = [group.project, group.service, group.replaces ?? ''].join('\n');
      const isTaken = memo.remember(key, (node) => hasReplica(node, group));
      const description = `no other copy of service ${group.service}`;
      return [{ description, soft: true, accepts: (node) => !isTaken(node) }];
    },
  };
}

function hasReplica(node: Node, group: ReplicaGroup): boolean {
  for (const container of node.containers()) if (isReplicaOf(group, container)) return true;
  return false;
}
