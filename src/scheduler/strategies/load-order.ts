// The order by load that spread and binpack share: first the share of CPU and memory that would be in use, then
// the number of containers, and between equals the node that has the image, then by name or by seed.
import { compareText } from '../../common/compare-text.ts';
import { defaultOvercommit, memoryCapacityBytes, nanoCpuCapacity, type Overcommit } from '../capacity.ts';
import type { Node, PlacementRequest, Score } from '../contracts.ts';

export interface StrategyOptions {
  readonly overcommit?: Overcommit | undefined;
  /** Whether stopped containers count as load; `active` by default. */
  readonly load?: 'active' | 'all' | undefined;
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

/** More than that many nodes are never tried for one container, so only that many are put in order. */
const mostRanked = 16;

/** The best nodes, at most 16, best first. `compareFirst` comes before the load. */
export function rankByLoad(
  request: PlacementRequest,
  nodes: readonly Node[],
  direction: Direction,
  options: StrategyOptions,
  compareFirst: (a: Node, b: Node) => number = () => 0,
): readonly Node[] {
  const sign = direction === 'emptiest' ? 1 : -1;
  const compare = (a: RankedNode, b: RankedNode): number =>
    compareFirst(a.node, b.node) || sign * (a.score - b.score || a.containers - b.containers) || compareEquals(a, b);
  const best: RankedNode[] = [];
  for (const node of nodes) keepBest(best, new RankedNode(request, node, options), compare);
  return best.map(({ node }) => node);
}

/** Inserts `candidate` at its place unless it is worse than all of a full list: sorting every node would cost far more. */
function keepBest(best: RankedNode[], candidate: RankedNode, compare: (a: RankedNode, b: RankedNode) => number): void {
  const worst = best.at(-1);
  if (best.length === mostRanked && worst !== undefined && compare(candidate, worst) >= 0) return;
  if (best.length === mostRanked) best.pop();
  let place = best.length;
  for (let above = best[place - 1]; above !== undefined && compare(candidate, above) < 0; above = best[place - 1])
    place -= 1;
  best.splice(place, 0, candidate);
}

function loadOf(request: PlacementRequest, node: Node, options: StrategyOptions): Load {
  const { overcommit = defaultOvercommit, load = 'active' } = options;
  const { nanoCpus, memoryBytes } = request;
  return {
    cpuPercent: nanoCpus > 0 ? percent(node.reservedNanoCpus + nanoCpus, nanoCpuCapacity(node, overcommit)) : 100,
    memoryPercent:
      memoryBytes > 0 ? percent(node.reservedMemoryBytes + memoryBytes, memoryCapacityBytes(node, overcommit)) : 100,
    containers: load === 'active' ? node.activeContainers : node.totalContainers,
  };
}

export function loadScore(request: PlacementRequest, node: Node, options: StrategyOptions): Score {
  const { cpuPercent, memoryPercent, containers } = loadOf(request, node, options);
  return { parts: { cpu: cpuPercent, memory: memoryPercent }, ties: { containers } };
}

/** A number for `text` that looks random and depends on `seed`. */
function hashText(text: string, seed: number): number {
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
  readonly #image: string;
  readonly #seed: number | undefined;
  #hasImage: boolean | undefined;

  constructor(request: PlacementRequest, node: Node, options: StrategyOptions) {
    const { cpuPercent, memoryPercent, containers } = loadOf(request, node, options);
    this.node = node;
    this.containers = containers;
    // Rounded, so that shares that are equal on paper are equal here.
    this.score = Math.round((cpuPercent + memoryPercent) * 1e6);
    this.#image = request.image;
    this.#seed = options.seed;
  }

  /** Which of two equal nodes comes first is looked at last, so it is not made before it is needed. */
  get tie(): number {
    return this.#seed === undefined ? 0 : hashText(this.node.name, this.#seed);
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
