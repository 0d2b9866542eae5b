// How many containers of a node a rule speaks of, kept for each rule and node and brought up to date by what came and
// went since. A rule that many containers carry ("not beside web*") costs the same however full the nodes are.
import { RecentMap } from '../common/recent-map.ts';
import type { Node, NodeContainer } from './contracts.ts';

interface Counted {
  readonly revision: number;
  readonly count: number;
}

/** Rules beyond that number push out the one that was asked longest ago. */
const mostRules = 128;

export class ContainerCounts {
  readonly #counted = new RecentMap<string, WeakMap<Node, Counted>>(mostRules);

  /** Tells how many containers of a node match; `key` must tell rules apart that differ. */
  counter(key: string, isMatch: (container: NodeContainer) => boolean): (node: Node) => number {
    const counted = this.#countedBy(key);
    return (node) => {
      const revision = node.containersRevision;
      if (revision === undefined) return countAll(node, isMatch);
      const known = counted.get(node);
      if (known?.revision === revision) return known.count;
      const count = recount(node, known, isMatch) ?? countAll(node, isMatch);
      counted.set(node, { revision, count });
      return count;
    };
  }

  #countedBy(key: string): WeakMap<Node, Counted> {
    const counted = this.#counted.get(key) ?? new WeakMap<Node, Counted>();
    this.#counted.set(key, counted);
    return counted;
  }
}

/** undefined when it is not known what came and went. */
function recount(
  node: Node,
  known: Counted | undefined,
  isMatch: (container: NodeContainer) => boolean,
): number | undefined {
  if (known === undefined) return undefined;
  return node
    .containersSince?.(known.revision)
    ?.reduce((count, { container, isGone }) => (isMatch(container) ? count + (isGone ? -1 : 1) : count), known.count);
}

function countAll(node: Node, isMatch: (container: NodeContainer) => boolean): number {
  let count = 0;
  for (const container of node.containers()) if (isMatch(container)) count += 1;
  return count;
}
