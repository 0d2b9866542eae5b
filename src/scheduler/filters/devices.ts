// GPUs, runtimes and other things that only some nodes have.
import type { Filter, Node, Requirement, ResourceDemand } from '../contracts.ts';

export const devicesFilter: Filter = {
  name: 'devices',
  requirements: ({ deviceRequests }) => deviceRequests.map(deviceRequirement),
};

function deviceRequirement({ name, count }: ResourceDemand): Requirement {
  const wanted = Math.max(1, count);
  return {
    description: `${wanted} ${name}`,
    soft: false,
    accepts: (node) => available(node, name) >= wanted,
    reason: (node) => `${wanted} ${name} wanted, ${available(node, name)} available`,
  };
}

function available(node: Node, name: string): number {
  return node.genericResources.get(name) ?? 0;
}
