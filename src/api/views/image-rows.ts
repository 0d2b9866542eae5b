// Rows of GET /images/json over many engines: one row per image id, holding what all engines know of it, in
// the shape that the client's API version expects.
import { compareText } from '../../common/compare-text.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import type { ImageRow } from '../../docker/types.ts';

const noTag = '<none>:<none>';
const noDigest = '<none>@<none>';

/** Engines before API 1.43 name what has no name; everyone else sees an empty list. */
export function realTags(row: ImageRow): readonly string[] {
  return (row.RepoTags ?? []).filter((tag) => tag !== noTag);
}

function realDigests(row: ImageRow): readonly string[] {
  return (row.RepoDigests ?? []).filter((digest) => digest !== noDigest);
}

/** One row per id, newest first. */
export function mergeImageRows(rows: Iterable<ImageRow>): ImageRow[] {
  const byId = new Map<string, ImageRow>();
  for (const row of rows) {
    const known = byId.get(row.Id);
    byId.set(row.Id, known === undefined ? row : mergeTwo(known, row));
  }
  return [...byId.values()].sort((a, b) => b.Created - a.Created || compareText(a.Id, b.Id));
}

function mergeTwo(a: ImageRow, b: ImageRow): ImageRow {
  return {
    ...a,
    RepoTags: union(realTags(a), realTags(b)),
    RepoDigests: union(realDigests(a), realDigests(b)),
    Containers: addCounts(a.Containers, b.Containers),
    Size: Math.max(a.Size ?? 0, b.Size ?? 0),
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

/** -1 stands for "not counted". */
function addCounts(a = -1, b = -1): number {
  return a < 0 || b < 0 ? Math.max(a, b) : a + b;
}

/** The row as an engine of the client's version would write it. */
export function imageRowFor(version: string, row: ImageRow): ImageRow {
  const { VirtualSize: _, ...rest } = row;
  const [tags, digests] = [realTags(row), realDigests(row)];
  const names = compareApiVersion(version, '1.43') < 0 && tags.length === 0 && digests.length === 0;
  return {
    ...rest,
    RepoTags: names ? [noTag] : tags,
    RepoDigests: names ? [noDigest] : digests,
    ...(compareApiVersion(version, '1.44') < 0 ? { VirtualSize: row.Size ?? 0 } : {}),
  };
}
