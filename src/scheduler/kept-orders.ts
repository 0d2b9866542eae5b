// The orders of a cluster's nodes, kept from one decision to the next: of each only the nodes that changed since are
// put in their new place, and nodes are taken from its head until one will do. Rules that pass over many nodes get an
// order of only those that they accept. A decision therefore looks at a few nodes, however many there are. Whoever
// changes a node must say so; who joins, leaves or is renamed makes all anew.
import { RecentMap } from '../common/recent-map.ts';
import type { Node, NodeOrder, Requirement } from './contracts.ts';
import { compareLoad, comparePlace, measured, type MeasuredNode } from './node-order.ts';

/** One for each size of container and set of rules; beyond that number the one asked longest ago is given up. */
const mostOrders = 64;
/** An order is worth keeping for rules that passed over so many nodes. */
const manyNodes = 64;
/** So many nodes are moved one by one, even in a short order. */
const fewNodes = 16;

export class KeptOrders {
  readonly #orders = new RecentMap<string, KeptOrder>(mostOrders);

  /**
   * Those of `nodes` that can meet `requirements`, best first; computed as far as it is read, and to be read before a
   * node changes. Soft requirements leave nobody out, nor do those whose answers are not kept.
   */
  bestFirst(order: NodeOrder, nodes: readonly Node[], requirements: readonly Requirement[]): Iterable<Node> {
    const rules = requirements.filter(({ soft, key }) => !soft && key !== undefined);
    const ruled = [order.key, ...rules.map(({ key }) => key)].join('\n');
    const kept = this.#get(ruled);
    if (kept !== undefined) return kept.bestFirst(order, rules);
    const all = this.#get(order.key) ?? this.#add(order.key, new KeptOrder(order, nodes, []));
    return rules.length === 0 ? all.bestFirst(order, []) : this.#among(all, ruled, { order, nodes, rules });
  }

  /** Something of `node` may be other than before: its load, capacity, containers, labels or facts. */
  changed(node: Node): void {
    for (const kept of this.#orders.values()) kept.changed(node);
  }

  /** The nodes or their names are others than before. */
  clear(): void {
    this.#orders.clear();
  }

  *#among(all: KeptOrder, key: string, { order, nodes, rules }: Ruled): Iterable<Node> {
    let passed = 0;
    for (const node of all.bestFirst(order, [])) {
      yield node;
      passed += 1;
      if (passed === manyNodes) this.#add(key, new KeptOrder(order, nodes, rules));
    }
  }

  #get(key: string): KeptOrder | undefined {
    const kept = this.#orders.get(key);
    return kept === undefined ? undefined : this.#add(key, kept);
  }

  /** As the one asked last. */
  #add(key: string, kept: KeptOrder): KeptOrder {
    this.#orders.set(key, kept);
    return kept;
  }
}

interface Ruled {
  readonly order: NodeOrder;
  readonly nodes: readonly Node[];
  readonly rules: readonly Requirement[];
}

class KeptOrder {
  /** Of every node; undefined for one that the rules leave out. */
  readonly #places = new Map<Node, MeasuredNode | undefined>();
  readonly #changed = new Set<Node>();
  /** The places in order. */
  #sorted: MeasuredNode[] = [];

  constructor(order: NodeOrder, nodes: readonly Node[], rules: readonly Requirement[]) {
    for (const node of nodes) this.#places.set(node, placeFor(node, order, rules));
    this.#sort();
  }

  changed(node: Node): void {
    this.#changed.add(node);
  }

  /** `order` and `rules` must be equal to those it was made with, by their keys. */
  *bestFirst(order: NodeOrder, rules: readonly Requirement[]): Iterable<Node> {
    this.#mend(order, rules);
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

  #mend(order: NodeOrder, rules: readonly Requirement[]): void {
    if (this.#changed.size === 0) return;
    const isMostlyOther = this.#changed.size > Math.max(fewNodes, this.#sorted.length / 16);
    for (const node of this.#changed) {
      if (!this.#places.has(node)) continue;
      const before = this.#places.get(node);
      const after = placeFor(node, order, rules);
      this.#places.set(node, after);
      if (!isMostlyOther) this.#move(before, after);
    }
    this.#changed.clear();
    if (isMostlyOther) this.#sort();
  }

  #move(before: MeasuredNode | undefined, after: MeasuredNode | undefined): void {
    if (before !== undefined && after !== undefined && comparePlace(before, after) === 0) return;
    if (before !== undefined) this.#sorted.splice(placeOf(this.#sorted, before), 1);
    if (after !== undefined) this.#sorted.splice(placeOf(this.#sorted, after), 0, after);
  }

  #sort(): void {
    this.#sorted = [...this.#places.values()].filter((place) => place !== undefined).sort(comparePlace);
  }
}

function placeFor(node: Node, order: NodeOrder, rules: readonly Requirement[]): MeasuredNode | undefined {
  return rules.every((rule) => rule.accepts(node)) ? measured(node, order) : undefined;
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
