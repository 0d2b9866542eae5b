// Copies of one Compose service prefer zones, and then nodes, without another copy, so that the loss of either takes
// one of them. Zones are the values of the engine label `zone`. A container that chose its own strategy is left to it.
import { ContainerCounts } from '../container-counts.ts';
import type { Filter, Node, Requirement } from '../contracts.ts';
import { groupKey, isReplicaOf, replicaGroup } from '../replica-group.ts';

const zoneLabel = 'zone';

export function createReplicasFilter(): Filter {
  const counts = new ContainerCounts();
  return {
    name: 'replicas',
    requirements: (request, nodes) => {
      const group = replicaGroup(request);
      if (group === undefined || request.strategy !== undefined) return [];
      const count = counts.counter(groupKey(group), (container) => isReplicaOf(group, container));
      const isTaken = (node: Node): boolean => count(node) > 0;
      const description = `no other copy of service ${group.service}`;
      return [
        ...zoneRequirement(description, nodes, isTaken),
        { description, soft: true, accepts: (node) => !isTaken(node) },
      ];
    },
  };
}

/** None where there are no zones. A node without the label is in none. */
function zoneRequirement(
  description: string,
  nodes: readonly Node[],
  isTaken: (node: Node) => boolean,
): readonly Requirement[] {
  const takenZones = new Map<string, boolean>();
  let isOutsideZones = false;
  for (const node of nodes) {
    const zone = node.labels[zoneLabel];
    if (zone === undefined) isOutsideZones = true;
    else if (takenZones.get(zone) !== true) takenZones.set(zone, isTaken(node));
  }
  if (takenZones.size === 0) return [];
  return [
    {
      description: `${description} in the same ${zoneLabel}`,
      soft: true,
      isHopeless: !isOutsideZones && [...takenZones.values()].every(Boolean),
      accepts: ({ labels: { [zoneLabel]: zone } }) => zone === undefined || takenZones.get(zone) !== true,
    },
  ];
}
