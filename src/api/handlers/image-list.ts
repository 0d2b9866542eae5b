// GET /images/json: the images of every node, one row per id. Made from the mirrors, except for what only the
// engines can count or list for the moment.
import { nodeFilter } from '../../cluster/nodes/node-filter.ts';
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import { assertKnownFilters, parseFilters, type Filters } from '../../docker/filters.ts';
import { parseGoBool } from '../../docker/go-bool.ts';
import type { ImageRow } from '../../docker/types.ts';
import { parseImageRows } from '../../engine/answers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { markPartial } from '../silent-nodes.ts';
import { effectiveVersion } from '../versions.ts';
import { imageRowFor, mergeImageRows, withoutIntermediate } from '../views/image-rows.ts';
import { imageSelection } from '../views/image-selection.ts';

const knownFilters = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until', 'node'];

/** Arguments whose answer the mirror does not hold. */
const liveArguments = ['shared-size', 'manifests', 'identity'];

const listDeadlineMs = 15_000;

export async function listImages(call: ApiCall): Promise<void> {
  const filters = withLegacyFilter(call, parseFilters(call.query.get('filters')));
  assertKnownFilters(filters, knownFilters);
  const select = imageSelection(filters, Date.now());
  const isInTime = timeRange(call, filters);
  const engines = nodesOf(call, filters);
  const lists = await Promise.all(engines.map((engine) => readRows(call, engine)));
  const listed = parseGoBool(call.query.get('all')) ? lists : lists.map(withoutIntermediate);
  const merged = mergeImageRows(listed.flat(), Math.max);
  const rows = withContainerCounts(call, engines, merged);
  markPartial(call);
  const shown = rows.filter(isInTime).flatMap((row) => select(row) ?? []);
  call.send(
    200,
    shown.map((row) => imageRowFor(call.version, row)),
  );
}

/** `filter=`, which clients sent before 1.41, is a reference. */
function withLegacyFilter({ version, query }: ApiCall, filters: Filters): Filters {
  const reference = query.get('filter') ?? '';
  if (reference === '' || compareApiVersion(version, '1.41') >= 0) return filters;
  return filters.with('reference', [...filters.get('reference'), reference]);
}

function nodesOf({ cluster }: ApiCall, filters: Filters): readonly Engine[] {
  const isWanted = nodeFilter(filters);
  return cluster.members.engines.filter((engine) => isWanted(cluster.members.identityOf(engine)));
}

/** `before` and `since` name images: what is shown was made strictly earlier or later than they. */
function timeRange(call: ApiCall, filters: Filters): (row: ImageRow) => boolean {
  const created = (key: string): number[] => filters.get(key).map((reference) => resolveCreated(call, reference));
  const [before, since] = [created('before'), created('since')];
  return (row) => before.every((limit) => row.Created < limit) && since.every((limit) => row.Created > limit);
}

function resolveCreated({ cluster }: ApiCall, reference: string): number {
  if (reference === '') throw badRequest('invalid reference format');
  return cluster.images.resolve(reference).row.Created;
}

/** A node that cannot be asked is shown as it was last seen: a list never fails because of one node. */
async function readRows(call: ApiCall, engine: Engine): Promise<readonly ImageRow[]> {
  const asked = liveArguments.filter((name) => parseGoBool(call.query.get(name)));
  if (asked.length === 0 || engine.state !== 'healthy') return engine.mirror.images;
  try {
    const { body } = await engine.client.request({
      method: 'GET',
      path: '/images/json',
      version: effectiveVersion(call.version, engine),
      query: Object.fromEntries(['all', ...asked].map((name) => [name, '1'])),
      signal: call.signal,
      timeoutMs: listDeadlineMs,
    });
    return parseImageRows(body);
  } catch {
    return engine.mirror.images;
  }
}

/** Engines count the containers of an image since API 1.51; before, the field says that nobody counted. */
function withContainerCounts(
  call: ApiCall,
  engines: readonly Engine[],
  rows: readonly ImageRow[],
): readonly ImageRow[] {
  if (compareApiVersion(call.version, '1.51') < 0) return rows.map((row) => ({ ...row, Containers: -1 }));
  const counts = new Map<string, number>();
  for (const engine of engines) {
    for (const { row } of engine.mirror.containers.values())
      counts.set(row.ImageID, (counts.get(row.ImageID) ?? 0) + 1);
  }
  return rows.map((row) => ({ ...row, Containers: counts.get(row.Id) ?? 0 }));
}
