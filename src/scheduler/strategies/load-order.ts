// The order by load that spread and binpack share: first the share of CPU and memory that would be in use, then
// the number of containers, and between equals the node that has the image, then by name or by seed.
import { compareText } from '../../common/compare-text.ts';
import { defaultOvercommit, memoryCapacityBytes, nanoCpuCapacity, type Overcommit } from '../capacity.ts';
import type { Node, PlacementRequest } from '../contracts.ts';

export interface StrategyOptions {
  readonly overcommit?: Overcommit | undefined;
  /** Whether stopped containers count as load; `active` by default. */
  readonly load?: 'active' | 'all' | undefined;
  /** Decides between equal nodes; without it their names do. */
  readonly seed?: number | undefined;
  /** A number in [0, 1) for the random strategy; by default from the seed, or Math.random without one. */
  readonly random?: (() => number) | undefined;
}

export interface Load {
  readonly node: Node;
  /** Percent after placement; 100 when the request names no CPU. */
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly containers: number;
}

/** The least loaded node first, or the most loaded one that still has room. */
export type Direction = 'emptiest' | 'fullest';

export function rankByLoad(
  request: PlacementRequest,
  nodes: readonly Node[],
  direction: Direction,
  options: StrategyOptions,
): readonly Node[] {
  const ranked = nodes.map((node) => new RankedNode(loadOf(request, node, options), request.image, options.seed));
  const sign = direction === 'emptiest' ? 1 : -1;
  ranked.sort((a, b) => sign * (a.score - b.score || a.containers - b.containers) || compareEquals(a, b));
  return ranked.map(({ node }) => node);
}

export function loadOf(request: PlacementRequest, node: Node, options: StrategyOptions): Load {
  const { overcommit = defaultOvercommit, load = 'active' } = options;
  const { nanoCpus, memoryBytes } = request;
  return {
    node,
    cpuPercent: nanoCpus > 0 ? percent(node.reservedNanoCpus + nanoCpus, nanoCpuCapacity(node, overcommit)) : 100,
    memoryPercent:
      memoryBytes > 0 ? percent(node.reservedMemoryBytes + memoryBytes, memoryCapacityBytes(node, overcommit)) : 100,
    containers: load === 'active' ? node.activeContainers : node.totalContainers,
  };
}

export function explainLoad(request: PlacementRequest, node: Node, options: StrategyOptions): string {
  const { cpuPercent, memoryPercent, containers } = loadOf(request, node, options);
  const score = (cpuPercent + memoryPercent).toFixed(1);
  return `score ${score} = cpu ${cpuPercent.toFixed(1)} + memory ${memoryPercent.toFixed(1)}; containers ${containers}`;
}

/** A number for `text` that looks random and depends on `seed`. */
export function hashText(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Whether the node has the image is asked only between nodes that are otherwise equal. */
class RankedNode {
  readonly node: Node;
  readonly containers: number;
  readonly score: number;
  readonly tie: number;
  readonly #image: string;
  #hasImage: boolean | undefined;

  constructor(load: Load, image: string, seed: number | undefined) {
    this.node = load.node;
    this.containers = load.containers;
    // Rounded, so that shares that are equal on paper are equal here.
    this.score = Math.round((load.cpuPercent + load.memoryPercent) * 1e6);
    this.tie = seed === undefined ? 0 : hashText(load.node.name, seed);
    this.#image = image;
  }

  get hasImage(): boolean {
    this.#hasImage ??= this.node.hasImage(this.#image);
    return this.#hasImage;
  }
}

function compareEquals(a: RankedNode, b: RankedNode): number {
  if (a.hasImage !== b.hasImage) return a.hasImage ? -1 : 1;
  return a.tie - b.tie || compareText(a.node.name, b.node.name) || compareText(a.node.id, b.node.id);
}

function percent(used: number, capacity: number): number {
  return capacity > 0 ? (used * 100) / capacity : Number.MAX_SAFE_INTEGER / 1e8;
}
