// The networks of all nodes as one list: a network that several engines share once, and one bridge, host and
// none for all. Local networks of one name on several nodes are different; all but the first carry their node.
import { isPredefinedNetwork } from '../../docker/predefined-networks.ts';
import type { NetworkRow } from '../../docker/types.ts';

export interface NodeNetworks {
  readonly node: string;
  readonly rows: Iterable<NetworkRow>;
}

export interface ListedNetwork {
  readonly row: NetworkRow;
  /** The name on its own engine. */
  readonly plainName: string;
  /** The nodes that have it. */
  readonly nodes: readonly string[];
  /** On all these nodes: predefined networks have another one on each. */
  readonly ids: readonly string[];
}

/** In the order of the nodes; `node/name` where the plain name is taken by another node's network. */
export function mergeNetworkRows(nodes: Iterable<NodeNetworks>): ListedNetwork[] {
  const byKey = new Map<string, { row: NetworkRow; plainName: string; nodes: string[]; ids: string[] }>();
  const names = new Set<string>();
  for (const { node, rows } of nodes) {
    for (const row of rows) {
      const { Id: id, Name: plainName } = row;
      const key = isPredefinedNetwork(plainName) ? `name ${plainName}` : `id ${id}`;
      const known = byKey.get(key);
      if (known !== undefined) {
        known.nodes.push(node);
        known.ids.push(id);
        continue;
      }
      const shown = names.has(plainName) ? { ...row, Name: `${node}/${plainName}` } : row;
      names.add(plainName);
      byKey.set(key, { row: shown, plainName, nodes: [node], ids: [id] });
    }
  }
  return [...byKey.values()];
}
