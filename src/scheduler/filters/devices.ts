// GPUs, runtimes and other things that only some nodes have. What active containers were given is gone, except
// runtimes and devices that are named one by one: those can be shared.
import type { Filter, Node, PlacementRequest, Requirement, ResourceDemand } from '../contracts.ts';
import { heldBy } from '../node-resources.ts';
import { replacedOn } from './replaced.ts';

export const devicesFilter: Filter = {
  name: 'devices',
  requirements: (request) => request.deviceRequests.map((demand) => deviceRequirement(demand, request)),
};

function deviceRequirement({ name, count }: ResourceDemand, request: PlacementRequest): Requirement {
  const isAll = count < 0;
  const wanted = (node: Node): number => (isAll ? Math.max(1, totalOf(node, name)) : count);
  const words = isAll ? `all ${name}` : `${count} ${name}`;
  return {
    description: words,
    soft: false,
    accepts: (node) => available(node, name, request) >= wanted(node),
    reason: (node) => `${words} wanted, ${Math.max(0, available(node, name, request))} available`,
  };
}

function totalOf(node: Node, name: string): number {
  return node.genericResources.get(name) ?? 0;
}

function available(node: Node, name: string, request: PlacementRequest): number {
  const total = totalOf(node, name);
  // How many there are is not known where the engine only says that it has the runtime for them.
  if (total === 0 || total === Number.POSITIVE_INFINITY || isShared(name)) return total;
  const replacedId = replacedOn(node, request)?.id;
  let held = 0;
  for (const { id, isActive, resources } of node.containers()) {
    if (resources === undefined || !isActive || id === replacedId) continue;
    for (const demand of resources) held += heldBy(demand, name, total);
  }
  return total - held;
}

function isShared(name: string): boolean {
  return name.startsWith('runtime/') || name.startsWith('device/');
}
