// The nodes in the order of a strategy: by its numbers, of equal load the preferred ones first, then by name and id.
// No two nodes are equal in it, so the outcome never depends on the order in which nodes are given.
import { compareText } from '../common/compare-text.ts';
import type { Node, NodeMeasure, NodeOrder } from './contracts.ts';

/** A node and its place in an order that says nothing of preference. */
export interface MeasuredNode extends NodeMeasure {
  readonly node: Node;
  readonly name: string;
  readonly id: string;
}

export function measured(node: Node, order: NodeOrder): MeasuredNode {
  const { score, containers, tie } = order.measure(node);
  return { node, score, containers, tie, name: node.name, id: node.id };
}

/** Negative when `a` has the better load; 0 when only preference, tie and name can tell the two apart. */
export function compareLoad(a: MeasuredNode, b: MeasuredNode): number {
  return a.score - b.score || a.containers - b.containers;
}

/** Negative when `a` comes before `b`, nothing being preferred; 0 only for a node and itself. */
export function comparePlace(a: MeasuredNode, b: MeasuredNode): number {
  return compareLoad(a, b) || compareEquals(a, b);
}

/** More than that many nodes are never tried for one container, so only that many are put in order. */
const mostRanked = 16;

/** The best nodes, at most 16, best first. `compareFirst` comes before the load. */
export function bestOf(
  nodes: readonly Node[],
  order: NodeOrder,
  compareFirst: (a: Node, b: Node) => number = () => 0,
): readonly Node[] {
  const compare = (a: MeasuredNode, b: MeasuredNode): number =>
    compareFirst(a.node, b.node) || compareLoad(a, b) || comparePreference(a, b, order) || compareEquals(a, b);
  const best: MeasuredNode[] = [];
  for (const node of nodes) keepBest(best, measured(node, order), compare);
  return best.map(({ node }) => node);
}

/** Inserts `candidate` at its place unless it is worse than all of a full list: sorting every node would cost far more. */
function keepBest<T>(best: T[], candidate: T, compare: (a: T, b: T) => number): void {
  const worst = best.at(-1);
  if (best.length === mostRanked && worst !== undefined && compare(candidate, worst) >= 0) return;
  if (best.length === mostRanked) best.pop();
  let place = best.length;
  for (let above = best[place - 1]; above !== undefined && compare(candidate, above) < 0; above = best[place - 1])
    place -= 1;
  best.splice(place, 0, candidate);
}

function comparePreference(a: MeasuredNode, b: MeasuredNode, order: NodeOrder): number {
  return Number(order.isPreferred(b.node)) - Number(order.isPreferred(a.node));
}

function compareEquals(a: MeasuredNode, b: MeasuredNode): number {
  return a.tie - b.tie || compareText(a.name, b.name) || compareText(a.id, b.id);
}
