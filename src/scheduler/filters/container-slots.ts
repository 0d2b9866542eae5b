// The engine label `containerslots=N` caps the active containers of a node. A label that is no whole number is no cap.
import type { Filter, Node, PlacementRequest } from '../contracts.ts';
import { replacedOn } from './replaced.ts';

const label = 'containerslots';

export const containerSlotsFilter: Filter = {
  name: 'containerslots',
  requirements: (request) => [
    {
      description: 'free slots',
      soft: false,
      accepts: (node) => node.labels[label] === undefined || usedSlots(node, request) < slotsOf(node),
      reason: (node) => `all ${slotsOf(node)} container slots are taken`,
    },
  ],
};

function slotsOf(node: Node): number {
  const text = node.labels[label];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

function usedSlots(node: Node, request: PlacementRequest): number {
  return node.activeContainers - (replacedOn(node, request)?.isActive === true ? 1 : 0);
}
