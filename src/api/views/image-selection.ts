// The filters of GET /images/json that look at one row: what is shown, and with which of its names.
import { badRequest } from '../../common/errors.ts';
import { parseTimestamp } from '../../docker/docker-time.ts';
import { booleanFilter, matchLabels, type Filters } from '../../docker/filters.ts';
import { familiarReference, familiarRepository, parseImageReference } from '../../docker/image-reference.ts';
import { compilePathPattern } from '../../docker/path-match.ts';
import type { ImageRow } from '../../docker/types.ts';
import { realDigests, realTags } from './image-rows.ts';

/** A row as it is shown, or undefined when it is not. */
export type ImageSelection = (row: ImageRow) => ImageRow | undefined;

/** Throws ApiError 400 for a value that dockerd would refuse. */
export function imageSelection(filters: Filters, now: number): ImageSelection {
  const dangling = booleanFilter(filters, 'dangling');
  const untilSeconds = filters.get('until').map((text) => untilFilter(text, now));
  const patterns = filters.get('reference').map(referenceFilter);
  return (row) => {
    const [tags, digests] = [realTags(row), realDigests(row)];
    if (dangling === true && tags.length > 0) return undefined;
    if (dangling === false && tags.length === 0 && digests.length === 0) return undefined;
    if (!matchLabels(row.Labels, filters)) return undefined;
    if (untilSeconds.some((until) => row.Created > until)) return undefined;
    if (patterns.length === 0) return row;
    const isShown = (name: string): boolean => patterns.some((matches) => matches(name));
    const shown = { ...row, RepoTags: tags.filter(isShown), RepoDigests: digests.filter(isShown) };
    return shown.RepoTags.length === 0 && shown.RepoDigests.length === 0 ? undefined : shown;
  };
}

function untilFilter(text: string, now: number): number {
  const ns = parseTimestamp(text, now);
  if (ns === undefined) throw badRequest(`invalid filter 'until=${text}'`);
  return Number(ns / 1_000_000_000n);
}

/** A shell pattern over the familiar name, with or without what is behind the repository. */
function referenceFilter(pattern: string): (name: string) => boolean {
  const matches = compilePathPattern(pattern);
  if (matches === undefined) throw badRequest(`invalid filter 'reference=${pattern}'`);
  const normalized = familiarReference(pattern);
  return (name) => {
    const parsed = parseImageReference(name);
    return matches(name) || name === normalized || (parsed !== undefined && matches(familiarRepository(parsed)));
  };
}
