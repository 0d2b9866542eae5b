// Spread over the values of an engine label (zones, racks): the zone with the fewest copies of the same Compose
// service first, then the one with the fewest containers, and within a zone as spread does.
import { ContainerCounts } from '../container-counts.ts';
import type { Node, PlacementRequest, Strategy } from '../contracts.ts';
import { bestOf } from '../node-order.ts';
import { groupKey, isReplicaOf, replicaGroup } from '../replica-group.ts';
import { loadOrder, loadScore, type StrategyOptions } from './load-order.ts';

export function createSpreadOver(label: string, options: StrategyOptions): Strategy {
  const counts = new ContainerCounts();
  const order = loadOrder('emptiest', options);
  return {
    name: `spread:${label}`,
    rank: (request, nodes, everyNode) => {
      const zones = countZones(everyNode, label, replicaCounter(request, counts));
      const loadOfZone = (node: Node): ZoneLoad => zones.get(zoneOf(node, label)) ?? emptyZone;
      return bestOf(nodes, order(request), (a, b) => compareZones(loadOfZone(a), loadOfZone(b)));
    },
    score: (request, node) => {
      const { parts, ties } = loadScore(request, node, options);
      return { parts, ties: { [label]: zoneOf(node, label), ...ties } };
    },
  };
}

interface ZoneLoad {
  readonly replicas: number;
  readonly containers: number;
}

const emptyZone: ZoneLoad = { replicas: 0, containers: 0 };

function compareZones(a: ZoneLoad, b: ZoneLoad): number {
  return a.replicas - b.replicas || a.containers - b.containers;
}

/** Nodes that the filters refused count too: a zone does not become empty because its port is taken. */
function countZones(
  nodes: readonly Node[],
  label: string,
  countReplicas: (node: Node) => number,
): ReadonlyMap<string, ZoneLoad> {
  const zones = new Map<string, ZoneLoad>();
  for (const node of nodes) {
    const zone = zoneOf(node, label);
    const { replicas, containers } = zones.get(zone) ?? emptyZone;
    zones.set(zone, {
      replicas: replicas + countReplicas(node),
      containers: containers + node.activeContainers,
    });
  }
  return zones;
}

function replicaCounter(request: PlacementRequest, counts: ContainerCounts): (node: Node) => number {
  const group = replicaGroup(request);
  if (group === undefined) return () => 0;
  return counts.counter(groupKey(group), (container) => isReplicaOf(group, container));
}

/** Nodes without the label make up a zone of their own. */
function zoneOf(node: Node, label: string): string {
  return node.labels[label] ?? '';
}
