// Where an image came from, as its row tells.
import type { ImageRow } from './types.ts';

/** Built, committed, imported or loaded: no registry has given it, so only the nodes that have it can pass it on. */
export function isMadeHere({ RepoDigests }: ImageRow): boolean {
  return !RepoDigests?.some((digest) => digest !== '<none>@<none>');
}
