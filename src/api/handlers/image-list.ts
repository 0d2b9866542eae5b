// GET /images/json: the images of every node, one row per id. Made from the mirrors, except for what only the
// engines can count or list for the moment.
import { badRequest } from '../../common/errors.ts';
import { assertKnownFilters, Filters, parseFilters, patternFilter } from '../../docker/filters.ts';
import { parseGoBool } from '../../docker/go-bool.ts';
import type { ImageRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { effectiveVersion } from '../versions.ts';
import { imageRowFor, mergeImageRows } from '../views/image-rows.ts';
import { imageSelection } from '../views/image-selection.ts';

const knownFilters = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until', 'node'];

/** Arguments whose answer the mirror does not hold; names and the API version that brought them. */
const liveArguments = ['all', 'shared-size', 'manifests', 'identity'];

const listDeadlineMs = 15_000;

export async function listImages(call: ApiCall): Promise<void> {
  const filters = withLegacyFilter(parseFilters(call.query.get('filters')), call.query.get('filter'));
  assertKnownFilters(filters, knownFilters);
  const select = imageSelection(filters, Date.now());
  const isInTime = timeRange(call, filters);
  const rows = mergeImageRows(await readRows(call, nodesOf(call, filters)));
  const shown = rows.filter(isInTime).flatMap((row) => select(row) ?? []);
  call.send(
    200,
    shown.map((row) => imageRowFor(call.version, row)),
  );
}

/** `filter=`, which clients sent before 1.41, is a reference. */
function withLegacyFilter(filters: Filters, reference: string | null): Filters {
  if (reference === null || reference === '') return filters;
  return parseFilters(
    JSON.stringify({
      ...Object.fromEntries([...filters.keys()].map((key) => [key, filters.get(key)])),
      reference: [reference],
    }),
  );
}

function nodesOf({ cluster }: ApiCall, filters: Filters): readonly Engine[] {
  if (!filters.has('node')) return cluster.engines;
  const matches = patternFilter(filters, 'node');
  return cluster.engines.filter((engine) => {
    const { id, name } = cluster.identityOf(engine);
    return matches(name) || filters.get('node').includes(id);
  });
}

/** `before` and `since` name images: what is shown was made strictly earlier or later than they. */
function timeRange(call: ApiCall, filters: Filters): (row: ImageRow) => boolean {
  const created = (key: string): number[] => filters.get(key).map((reference) => resolveCreated(call, reference));
  const [before, since] = [created('before'), created('since')];
  return (row) => before.every((limit) => row.Created < limit) && since.every((limit) => row.Created > limit);
}

function resolveCreated({ cluster }: ApiCall, reference: string): number {
  if (reference === '') throw badRequest('invalid reference format');
  return cluster.resolveImage(reference).row.Created;
}

async function readRows(call: ApiCall, engines: readonly Engine[]): Promise<ImageRow[]> {
  const asked = liveArguments.filter((name) => parseGoBool(call.query.get(name)));
  if (asked.length === 0) return engines.flatMap((engine) => [...engine.mirror.images]);
  const answers = await Promise.all(engines.map((engine) => readLiveRows(call, engine, asked)));
  return answers.flat();
}

/** A node that cannot be asked is shown as it was last seen: a list never fails because of one node. */
async function readLiveRows(call: ApiCall, engine: Engine, asked: readonly string[]): Promise<readonly ImageRow[]> {
  if (engine.state !== 'healthy') return engine.mirror.images;
  try {
    const { body } = await engine.client.request({
      method: 'GET',
      path: '/images/json',
      version: effectiveVersion(call.version, engine),
      query: Object.fromEntries(asked.map((name) => [name, '1'])),
      signal: call.signal,
      timeoutMs: listDeadlineMs,
    });
    return body as readonly ImageRow[];
  } catch {
    return engine.mirror.images;
  }
}
