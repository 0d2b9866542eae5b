// Only nodes that take containers: healthy ones that are not being drained.
import type { Filter, Requirement } from '../contracts.ts';

const takesContainers: Requirement = {
  description: 'a healthy node',
  soft: false,
  accepts: (node) => node.refusal === undefined,
  reason: (node) => node.refusal ?? 'healthy',
};

export const healthFilter: Filter = { name: 'health', requirements: () => [takesContainers] };
