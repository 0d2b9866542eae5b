// The filter `node` of lists and events, which no engine has: a node's name, where `*`, `?` and `[a-z]` are the patterns
// of a shell, or its id. Without a pattern nothing else than the whole name will do: node-1 is not node-10.
import type { Filters } from '../../docker/filters.ts';
import { compilePathPattern } from '../../docker/path-match.ts';
import type { NodeIdentity } from '../locations.ts';

/** True of every node when the filter was not given. */
export function nodeFilter(filters: Filters): (node: Pick<NodeIdentity, 'id' | 'name'>) => boolean {
  if (!filters.has('node')) return () => true;
  const values = new Set(filters.get('node'));
  const patterns = [...values]
    .filter((value) => /[*?[\\]/.test(value))
    .flatMap((value) => compilePathPattern(value) ?? []);
  return ({ id, name }) => values.has(name) || values.has(id) || patterns.some((matches) => matches(name));
}

/** `nodeFilter` for rows that know their nodes by name. */
export function nodeNameFilter(filters: Filters, nodes: Iterable<NodeIdentity>): (name: string) => boolean {
  const names = new Set([...nodes].filter(nodeFilter(filters)).map(({ name }) => name));
  return (name) => names.has(name);
}
