// How much of a node may be given away. Overcommit stretches it (0.05: five percent more) or holds some back
// (-0.1: a tenth less); a node's own labels overcommit, overcommit.cpu and overcommit.memory come first.
import type { Node } from './contracts.ts';

export interface Overcommit {
  /** Above -1. */
  readonly cpu: number;
  /** Above -1. */
  readonly memory: number;
}

export const defaultOvercommit: Overcommit = { cpu: 0.05, memory: 0.05 };

export function nanoCpuCapacity(node: Node, overcommit: Overcommit): number {
  return node.totalNanoCpus * (1 + ratio(node, 'overcommit.cpu', overcommit.cpu));
}

export function memoryCapacityBytes(node: Node, overcommit: Overcommit): number {
  return node.totalMemoryBytes * (1 + ratio(node, 'overcommit.memory', overcommit.memory));
}

/** A label that is not a number above -1 is passed over: a typing error on one engine must not stop placement. */
function ratio(node: Node, label: string, fallback: number): number {
  const text = node.labels[label] ?? node.labels['overcommit'];
  if (text === undefined || text.trim() === '') return fallback;
  const value = Number(text);
  return Number.isFinite(value) && value > -1 ? value : fallback;
}
