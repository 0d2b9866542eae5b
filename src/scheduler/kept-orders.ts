// The orders of a cluster's nodes, kept from one decision to the next: of each only the nodes that changed since are
// put in their new place, and nodes are taken from its head until one will do. A decision therefore looks at a few
// nodes, however many there are. Whoever changes a node must say so; who joins, leaves or is renamed makes all anew.
import type { Node, NodeOrder } from './contracts.ts';
import { compareLoad, comparePlace, measured, type MeasuredNode } from './node-order.ts';

/** One for each size of container that is asked for; beyond that number the one asked longest ago is given up. */
const mostOrders = 32;

export class KeptOrders {
  readonly #orders = new Map<string, KeptOrder>();

  /** Every one of `nodes` best first, computed as far as it is read; to be read before a node changes. */
  bestFirst(order: NodeOrder, nodes: readonly Node[]): Iterable<Node> {
    return this.#kept(order, nodes).bestFirst(order);
  }

  /** The load, capacity or labels of `node` may be others than before. */
  changed(node: Node): void {
    for (const kept of this.#orders.values()) kept.changed(node);
  }

  /** The nodes or their names are others than before. */
  clear(): void {
    this.#orders.clear();
  }

  #kept(order: NodeOrder, nodes: readonly Node[]): KeptOrder {
    const kept = this.#orders.get(order.key) ?? new KeptOrder(order, nodes);
    this.#orders.delete(order.key);
    this.#orders.set(order.key, kept);
    const oldest = this.#orders.keys().next().value;
    if (this.#orders.size > mostOrders && oldest !== undefined) this.#orders.delete(oldest);
    return kept;
  }
}

class KeptOrder {
  readonly #places = new Map<Node, MeasuredNode>();
  readonly #changed = new Set<Node>();
  /** The values of `#places` in order. */
  #sorted: MeasuredNode[] = [];

  constructor(order: NodeOrder, nodes: readonly Node[]) {
    for (const node of nodes) this.#places.set(node, measured(node, order));
    this.#sort();
  }

  changed(node: Node): void {
    this.#changed.add(node);
  }

  *bestFirst(order: NodeOrder): Iterable<Node> {
    this.#mend(order);
    const sorted = this.#sorted;
    let next = 0;
    while (next < sorted.length) {
      const first = next;
      for (; isOfOneLoad(sorted, first, next); next += 1) {
        const node = sorted[next]?.node;
        if (node !== undefined && order.isPreferred(node)) yield node;
      }
      for (const { node } of sorted.slice(first, next)) if (!order.isPreferred(node)) yield node;
    }
  }

  #mend(order: NodeOrder): void {
    if (this.#changed.size === 0) return;
    const isMostlyOther = this.#changed.size > this.#sorted.length / 16;
    for (const node of this.#changed) {
      const before = this.#places.get(node);
      const after = measured(node, order);
      if (before === undefined || comparePlace(before, after) === 0) continue;
      this.#places.set(node, after);
      if (!isMostlyOther) this.#move(before, after);
    }
    this.#changed.clear();
    if (isMostlyOther) this.#sort();
  }

  #move(before: MeasuredNode, after: MeasuredNode): void {
    this.#sorted.splice(placeOf(this.#sorted, before), 1);
    this.#sorted.splice(placeOf(this.#sorted, after), 0, after);
  }

  #sort(): void {
    this.#sorted = [...this.#places.values()].sort(comparePlace);
  }
}

function isOfOneLoad(sorted: readonly MeasuredNode[], first: number, other: number): boolean {
  const [a, b] = [sorted[first], sorted[other]];
  return a !== undefined && b !== undefined && compareLoad(a, b) === 0;
}

/** The index of the first node that does not come before `wanted`. */
function placeOf(sorted: readonly MeasuredNode[], wanted: MeasuredNode): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const node = sorted[middle];
    if (node !== undefined && comparePlace(node, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
