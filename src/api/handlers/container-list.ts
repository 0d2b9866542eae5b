// GET /containers/json: the merged list, made from the mirror. Filters first, then the order of one engine
// (newest first), then before, since and limit over the whole.
import { ApiError, badRequest } from '../../common/errors.ts';
import { compareText } from '../../common/compare-text.ts';
import type { ContainerLocation } from '../../cluster/locations.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { parseFilters, type Filters } from '../../docker/filters.ts';
import { parseGoBool } from '../../docker/go-bool.ts';
import type { ContainerRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { ApiCall } from '../api-call.ts';
import { containerRowJson, type RowNode } from '../views/container-row.ts';
import { containerPredicates } from '../views/container-selection.ts';
import { routableIpv4 } from '../views/node-ip.ts';
import { readContainerSizes } from './container-sizes.ts';

export async function listContainers(call: ApiCall): Promise<void> {
  const { cluster, query } = call;
  const filters = parseFilters(query.get('filters'));
  const limit = parseLimit(query.get('limit'));
  const all = parseGoBool(query.get('all')) || limit > 0;
  const predicates = containerPredicates({ filters, all, identityOf: (engine) => cluster.identityOf(engine) });
  const found = [...cluster.containers()].filter((location) => predicates.every((isWanted) => isWanted(location)));
  const cut = cutList(newestFirst(found, cluster), references(call, filters), cluster);
  const shown = limit > 0 ? cut.slice(0, limit) : cut;
  const sizes = parseGoBool(query.get('size')) ? await readContainerSizes(call, shown) : undefined;
  call.send(200, listJson(call, shown, sizes));
}

/** -1 and 0 mean no limit. */
function parseLimit(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^-?\d{1,9}$/.test(text)) throw badRequest(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Newest first to the nanosecond; then by node and id, so that equal moments keep their order between calls. */
function newestFirst(locations: ContainerLocation[], cluster: Cluster): ContainerLocation[] {
  return locations.sort((a, b) => {
    const seconds = b.record.row.Created - a.record.row.Created;
    if (seconds !== 0) return seconds;
    const [aNs, bNs] = [createdNs(a.record), createdNs(b.record)];
    if (aNs !== bNs) return aNs < bNs ? 1 : -1;
    return (
      compareText(cluster.identityOf(a.engine).name, cluster.identityOf(b.engine).name) ||
      compareText(a.record.id, b.record.id)
    );
  });
}

function createdNs({ row, details }: ContainerRecord): bigint {
  return details?.createdNs ?? BigInt(row.Created) * 1_000_000_000n;
}

interface CutReferences {
  readonly before: ContainerLocation | undefined;
  readonly since: ContainerLocation | undefined;
}

/** The filters of that name, or the query arguments that clients used before there were filters. */
function references(call: ApiCall, filters: Filters): CutReferences {
  const resolve = (name: string): ContainerLocation | undefined => {
    const reference = filters.get(name)[0] ?? call.query.get(name) ?? '';
    if (reference === '') return undefined;
    const found = call.cluster.findContainer(reference);
    if (found === undefined) throw new ApiError(404, `No such container: ${reference}`);
    return found;
  };
  return { before: resolve('before'), since: resolve('since') };
}

/** Strictly older than `before` and strictly newer than `since`, wherever these two run. */
function cutList(
  sorted: readonly ContainerLocation[],
  { before, since }: CutReferences,
  cluster: Cluster,
): readonly ContainerLocation[] {
  if (before === undefined && since === undefined) return sorted;
  return sorted.filter(
    (location) =>
      (before === undefined || isNewer(before, location, cluster)) &&
      (since === undefined || isNewer(location, since, cluster)),
  );
}

function isNewer(a: ContainerLocation, b: ContainerLocation, cluster: Cluster): boolean {
  return a.record.id !== b.record.id && newestFirst([b, a], cluster)[0] === a;
}

function listJson(
  call: ApiCall,
  locations: readonly ContainerLocation[],
  sizes?: ReadonlyMap<string, Partial<ContainerRow>>,
): Buffer {
  const now = Date.now();
  const nodes = new Map<Engine, RowNode>();
  const rows = locations.map(({ engine, record }) => {
    const node = nodes.get(engine) ?? rowNode(call, engine);
    nodes.set(engine, node);
    return containerRowJson(record, node, now, sizes?.get(record.id));
  });
  return Buffer.from(`[${rows.join(',')}]\n`);
}

function rowNode({ cluster, settings }: ApiCall, engine: Engine): RowNode {
  return {
    name: cluster.identityOf(engine).name,
    ip: routableIpv4(engine.host),
    isHealthy: engine.state === 'healthy',
    prefixesNames: settings.prefixesNamesWithNode,
  };
}
