// The volumes of all nodes as one list. A volume of global scope is one volume on every node; local ones of one
// name are different volumes, and all but the first carry their node.
import type { VolumeRow } from '../../docker/types.ts';

export interface NodeVolumes<Source> {
  readonly node: string;
  readonly source: Source;
  readonly rows: Iterable<VolumeRow>;
}

export interface ListedVolume<Source> {
  readonly row: VolumeRow;
  /** The name on its own engine. */
  readonly plainName: string;
  readonly nodes: readonly string[];
  readonly sources: readonly Source[];
}

/** In the order of the nodes. */
export function mergeVolumeRows<Source>(nodes: Iterable<NodeVolumes<Source>>): ListedVolume<Source>[] {
  const listed: { row: VolumeRow; plainName: string; nodes: string[]; sources: Source[] }[] = [];
  const globals = new Map<string, (typeof listed)[number]>();
  const names = new Set<string>();
  for (const { node, source, rows } of nodes) {
    for (const row of rows) {
      const known = row.Scope === 'global' ? globals.get(row.Name) : undefined;
      if (known !== undefined) {
        known.nodes.push(node);
        known.sources.push(source);
        continue;
      }
      const shown = names.has(row.Name) ? { ...row, Name: `${node}/${row.Name}` } : row;
      const entry = { row: shown, plainName: row.Name, nodes: [node], sources: [source] };
      names.add(row.Name);
      listed.push(entry);
      if (row.Scope === 'global') globals.set(row.Name, entry);
    }
  }
  return listed;
}
