// Rows of GET /images/json over many engines: one row per image id, holding what all engines know of it, in
// the shape that the client's API version expects.
import { compareText } from '../../common/compare-text.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import { isWireObject } from '../../docker/go-member.ts';
import type { ImageRow, WireObject } from '../../docker/types.ts';

const noTag = '<none>:<none>';
const noDigest = '<none>@<none>';

/** Engines before API 1.43 name what has no name; everyone else sees an empty list. */
export function realTags(row: ImageRow): readonly string[] {
  return (row.RepoTags ?? []).filter((tag) => tag !== noTag);
}

export function realDigests(row: ImageRow): readonly string[] {
  return (row.RepoDigests ?? []).filter((digest) => digest !== noDigest);
}

/** The rows of one engine without those that only lie beneath another: no name, and an image built upon them. */
export function withoutIntermediate(rows: readonly ImageRow[]): readonly ImageRow[] {
  const parents = new Set(rows.map(({ ParentId }) => ParentId));
  return rows.filter((row) => realTags(row).length > 0 || realDigests(row).length > 0 || !parents.has(row.Id));
}

/** What the sizes of one image on two nodes are together. */
export type AddSizes = (a: number, b: number) => number;

/** One row per id, newest first. A size of -1 stands for "not counted" and counts as nothing. */
export function mergeImageRows(rows: Iterable<ImageRow>, addSizes: AddSizes): ImageRow[] {
  const byId = new Map<string, ImageRow>();
  for (const row of rows) {
    const known = byId.get(row.Id);
    byId.set(row.Id, known === undefined ? row : mergeTwo(known, row, addSizes));
  }
  return [...byId.values()].sort((a, b) => b.Created - a.Created || compareText(a.Id, b.Id));
}

function mergeTwo(a: ImageRow, b: ImageRow, addSizes: AddSizes): ImageRow {
  const manifests = mergeManifests(a['Manifests'], b['Manifests']);
  return {
    ...a,
    RepoTags: union(realTags(a), realTags(b)),
    RepoDigests: union(realDigests(a), realDigests(b)),
    Containers: addCounted(a.Containers, b.Containers, (one, other) => one + other),
    Size: addCounted(a.Size, b.Size, addSizes),
    SharedSize: addCounted(a.SharedSize, b.SharedSize, addSizes),
    ...(manifests === undefined ? {} : { Manifests: manifests }),
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

function addCounted(a = -1, b = -1, add: AddSizes): number {
  return a < 0 || b < 0 ? Math.max(a, b) : add(a, b);
}

/** The platforms of an image, each once: there where one node has it, used by the containers of all nodes. */
function mergeManifests(a: unknown, b: unknown): readonly WireObject[] | undefined {
  if (!Array.isArray(a) && !Array.isArray(b)) return undefined;
  const byId = new Map<unknown, WireObject>();
  for (const manifest of [...wireObjects(a), ...wireObjects(b)]) {
    const known = byId.get(manifest['ID']);
    byId.set(manifest['ID'], known === undefined ? manifest : mergeTwoManifests(known, manifest));
  }
  return [...byId.values()];
}

function mergeTwoManifests(a: WireObject, b: WireObject): WireObject {
  const isAvailable = a['Available'] === true || b['Available'] === true;
  const [aData, bData] = [a['ImageData'], b['ImageData']];
  if (!isWireObject(aData) || !isWireObject(bData)) return { ...b, ...a, Available: isAvailable };
  const containers = [...listAt(aData, 'Containers'), ...listAt(bData, 'Containers')];
  return { ...a, Available: isAvailable, ImageData: { ...aData, Containers: [...new Set(containers)] } };
}

function wireObjects(value: unknown): readonly WireObject[] {
  return Array.isArray(value) ? value.filter(isWireObject) : [];
}

function listAt(object: WireObject, field: string): readonly unknown[] {
  const value = object[field];
  return Array.isArray(value) ? value : [];
}

/** Ready to be written as JSON. */
interface WrittenImageRow extends WireObject {
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[] | null;
  readonly VirtualSize: number | undefined;
}

/** The row as an engine of the client's version would write it. */
export function imageRowFor(version: string, row: ImageRow): WrittenImageRow {
  const [tags, digests] = [realTags(row), realDigests(row)];
  const isOld = compareApiVersion(version, '1.43') < 0;
  const names = isOld && tags.length === 0 && digests.length === 0;
  const noDigests = isOld ? null : [];
  return {
    ...row,
    RepoTags: names ? [noTag] : tags,
    RepoDigests: names ? [noDigest] : digests.length === 0 ? noDigests : digests,
    // What is undefined is not written.
    VirtualSize: compareApiVersion(version, '1.44') < 0 ? (row.Size ?? 0) : undefined,
  };
}
