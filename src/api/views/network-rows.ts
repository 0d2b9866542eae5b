// The networks of all nodes as one list: a network that several engines share once, and one bridge, host and
// none for all. Local networks of one name on several nodes are different; all but the first carry their node.
import type { NetworkRow } from '../../docker/types.ts';

export interface NodeNetworks {
  readonly node: string;
  readonly rows: Iterable<NetworkRow>;
}

export interface ListedNetwork {
  readonly row: NetworkRow;
  /** The nodes that have it. */
  readonly nodes: readonly string[];
}

const predefined: ReadonlySet<string> = new Set(['bridge', 'host', 'none', 'nat', 'docker_gwbridge', 'ingress']);

export function isPredefinedNetwork(name: string): boolean {
  return predefined.has(name);
}

/** In the order of the nodes; `node/name` where the plain name is taken by another node's network. */
export function mergeNetworkRows(nodes: Iterable<NodeNetworks>): ListedNetwork[] {
  const byKey = new Map<string, { row: NetworkRow; nodes: string[] }>();
  const names = new Set<string>();
  for (const { node, rows } of nodes) {
    for (const row of rows) {
      const key = isPredefinedNetwork(row.Name) ? `name ${row.Name}` : row.Id;
      const known = byKey.get(key);
      if (known !== undefined) {
        known.nodes.push(node);
        continue;
      }
      const shown = names.has(row.Name) ? { ...row, Name: `${node}/${row.Name}` } : row;
      names.add(row.Name);
      byKey.set(key, { row: shown, nodes: [node] });
    }
  }
  return [...byKey.values()];
}
