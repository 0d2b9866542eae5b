// The order by load that spread and binpack share: first the share of CPU and memory that would be in use, then
// the number of containers, and between equals the node that has the image, then by name or by seed.
import { defaultOvercommit, memoryCapacityBytes, nanoCpuCapacity, type Overcommit } from '../capacity.ts';
import type { Node, NodeOrder, PlacementRequest, Score, Strategy } from '../contracts.ts';
import { bestOf } from '../node-order.ts';

export interface StrategyOptions {
  readonly overcommit?: Overcommit | undefined;
  /** Decides between equal nodes; without it their names do. */
  readonly seed?: number | undefined;
  /** A number in [0, 1) for the random strategy; by default from the seed, or Math.random without one. */
  readonly random?: (() => number) | undefined;
}

interface Load {
  /** Percent after placement; 100 when the request names no CPU. */
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly containers: number;
}

/** The least loaded node first, or the most loaded one that still has room. */
type Direction = 'emptiest' | 'fullest';

/** A strategy that goes by load alone. */
export function createByLoad(name: string, direction: Direction, options: StrategyOptions): Strategy {
  const order = loadOrder(direction, options);
  return {
    name,
    order,
    rank: (request, nodes) => bestOf(nodes, order(request)),
    score: (request, node) => loadScore(request, node, options),
  };
}

/** The order of the nodes for each request. */
export function loadOrder(direction: Direction, options: StrategyOptions): (request: PlacementRequest) => NodeOrder {
  const { overcommit = defaultOvercommit, seed } = options;
  const settings = [direction, overcommit.cpu, overcommit.memory, seed].join(' ');
  const sign = direction === 'emptiest' ? 1 : -1;
  return (request) => ({
    key: `${settings} ${request.nanoCpus} ${request.memoryBytes}`,
    measure: (node) => {
      const { cpuPercent, memoryPercent, containers } = loadOf(request, node, options);
      return {
        // Rounded, so that shares that are equal on paper are equal here.
        score: sign * Math.round((cpuPercent + memoryPercent) * 1e6),
        containers: sign * containers,
        tie: seed === undefined ? 0 : hashText(node.name, seed),
      };
    },
    isPreferred: (node) => node.hasImage(request.image),
  });
}

export function loadScore(request: PlacementRequest, node: Node, options: StrategyOptions): Score {
  const { cpuPercent, memoryPercent, containers } = loadOf(request, node, options);
  return { parts: { cpu: cpuPercent, memory: memoryPercent }, ties: { containers } };
}

function loadOf(request: PlacementRequest, node: Node, options: StrategyOptions): Load {
  const { overcommit = defaultOvercommit } = options;
  const { nanoCpus, memoryBytes } = request;
  return {
    cpuPercent: nanoCpus > 0 ? percent(node.reservedNanoCpus + nanoCpus, nanoCpuCapacity(node, overcommit)) : 100,
    memoryPercent:
      memoryBytes > 0 ? percent(node.reservedMemoryBytes + memoryBytes, memoryCapacityBytes(node, overcommit)) : 100,
    containers: node.activeContainers,
  };
}

function percent(used: number, capacity: number): number {
  return capacity > 0 ? (used * 100) / capacity : Number.MAX_SAFE_INTEGER / 1e8;
}

/** A number for `text` that looks random and depends on `seed`. */
function hashText(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  return (hash ^ (hash >>> 13)) >>> 0;
}
