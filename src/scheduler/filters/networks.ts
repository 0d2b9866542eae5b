// Whoever joins a network goes to a node that has it. A network that no node has is the engine's to refuse, at start.
import type { Filter } from '../contracts.ts';
import { locatedRequirement } from './located.ts';

export const networksFilter: Filter = {
  name: 'networks',
  requirements: ({ networks }, nodes) =>
    networks.flatMap((name) => locatedRequirement(`network ${name}`, nodes, (node) => node.hasNetwork(name))),
};
