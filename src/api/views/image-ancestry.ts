// Which images of one engine were built upon others. Ids differ between engines, so each engine is looked at by itself.
import { imageIdDigits, matchesReference } from '../../docker/image-reference.ts';
import type { ImageRow } from '../../docker/types.ts';

/** Ids of the images that `references` name, and of all that were built upon these. */
export function descendants(images: readonly ImageRow[], references: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const childrenOf = groupByParent(images);
  const add = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    for (const child of childrenOf.get(id) ?? []) add(child);
  };
  for (const reference of references) for (const { Id } of namedImages(images, reference)) add(Id);
  return found;
}

/** A name wins over the beginning of an id, which must be that of one image only. */
function namedImages(images: readonly ImageRow[], reference: string): readonly ImageRow[] {
  const digits = imageIdDigits(reference);
  const matches = images.filter(({ Id, RepoTags, RepoDigests }) =>
    matchesReference(reference, { id: Id, repoTags: RepoTags, repoDigests: RepoDigests }),
  );
  if (digits === undefined || matches.length < 2) return matches;
  return matches.filter(({ Id }) => !Id.replace(/^sha256:/, '').startsWith(digits));
}

function groupByParent(images: readonly ImageRow[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { Id, ParentId = '' } of images) {
    if (ParentId === '') continue;
    const siblings = children.get(ParentId);
    if (siblings === undefined) children.set(ParentId, [Id]);
    else siblings.push(Id);
  }
  return children;
}
