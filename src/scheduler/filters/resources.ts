// Memory and CPU that the container asks for must be left on the node. A container that asks for none fits anywhere.
import { formatBytes } from '../../docker/units.ts';
import { memoryCapacityBytes, nanoCpuCapacity, type Overcommit } from '../capacity.ts';
import type { Filter, Node, PlacementRequest, Requirement } from '../contracts.ts';
import { replacedOn } from './replaced.ts';

export function createResourcesFilter(overcommit: Overcommit): Filter {
  return {
    name: 'resources',
    requirements: (request) => [
      ...(request.memoryBytes > 0 ? [memoryRequirement(request, overcommit)] : []),
      ...(request.nanoCpus > 0 ? [cpuRequirement(request, overcommit)] : []),
    ],
  };
}

function memoryRequirement(request: PlacementRequest, overcommit: Overcommit): Requirement {
  const freeBytes = (node: Node): number =>
    memoryCapacityBytes(node, overcommit) - node.reservedMemoryBytes + (replacedOn(node, request)?.memoryBytes ?? 0);
  const wanted = formatBytes(request.memoryBytes);
  return {
    description: `${wanted} of memory`,
    soft: false,
    isResource: true,
    accepts: (node) => request.memoryBytes <= freeBytes(node),
    reason: (node) => `${wanted} of memory wanted, ${formatBytes(Math.max(0, freeBytes(node)))} free`,
  };
}

function cpuRequirement(request: PlacementRequest, overcommit: Overcommit): Requirement {
  const freeNanoCpus = (node: Node): number =>
    nanoCpuCapacity(node, overcommit) - node.reservedNanoCpus + (replacedOn(node, request)?.nanoCpus ?? 0);
  const wanted = cpuText(request.nanoCpus);
  return {
    description: `${wanted} CPUs`,
    soft: false,
    isResource: true,
    accepts: (node) => request.nanoCpus <= freeNanoCpus(node),
    reason: (node) => `${wanted} CPUs wanted, ${cpuText(Math.max(0, freeNanoCpus(node)))} free`,
  };
}

function cpuText(nanoCpus: number): string {
  return String(Number((nanoCpus / 1e9).toFixed(2)));
}
