// GET /containers/json: the merged list, made from the mirrors in the order of one engine (newest first). Filters
// look at each container by itself; before, since and limit at the whole.
import { badRequest } from '../../common/errors.ts';
import type { ContainerLocation } from '../../cluster/locations.ts';
import { parseFilters, type Filters } from '../../docker/filters.ts';
import { parseGoBool } from '../../docker/go-bool.ts';
import type { Engine } from '../../engine/engine.ts';
import { wholeRow } from '../../engine/kept-row.ts';
import type { ApiCall } from '../api-call.ts';
import { sendJsonRows } from '../list-answer.ts';
import { containerRowJson, rowNode, shownContainerRow, type RowNode } from '../views/container-row.ts';
import { containerPredicates, type ContainerPredicate } from '../views/container-selection.ts';
import { readContainerSizes, type ContainerSizes } from './container-sizes.ts';

export async function listContainers(call: ApiCall): Promise<void> {
  const { cluster, query } = call;
  const filters = parseFilters(query.get('filters'));
  const limit = parseLimit(query.get('limit'));
  const all = parseGoBool(query.get('all')) || limit > 0;
  const predicates = [
    ...containerPredicates({ filters, all, identityOf: (engine) => cluster.identityOf(engine) }),
    ...boundaries(call, filters),
  ];
  const shown = select(cluster.containersNewestFirst(), predicates, limit);
  const sizes = parseGoBool(query.get('size')) ? await readContainerSizes(call, shown) : undefined;
  await sendJsonRows(call, rowTexts(call, shown, sizes));
}

/** -1 and 0 mean no limit. */
function parseLimit(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^-?\d{1,9}$/.test(text)) throw badRequest(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Strictly older than the filter `before` and strictly newer than `since`, wherever these two run. */
function boundaries({ cluster }: ApiCall, filters: Filters): ContainerPredicate[] {
  const boundary = (name: string): ContainerLocation | undefined => {
    const reference = filters.get(name)[0] ?? '';
    return reference === '' ? undefined : cluster.resolveContainer(reference);
  };
  const [before, since] = [boundary('before'), boundary('since')];
  return [
    ...(before === undefined ? [] : [(one: ContainerLocation) => cluster.compareAge(before, one) < 0]),
    ...(since === undefined ? [] : [(one: ContainerLocation) => cluster.compareAge(one, since) < 0]),
  ];
}

function select(
  locations: readonly ContainerLocation[],
  predicates: readonly ContainerPredicate[],
  limit: number,
): readonly ContainerLocation[] {
  if (predicates.length === 0 && limit <= 0) return locations;
  const selected: ContainerLocation[] = [];
  for (const location of locations) {
    if (limit > 0 && selected.length === limit) break;
    if (predicates.every((isWanted) => isWanted(location))) selected.push(location);
  }
  return selected;
}

function* rowTexts(
  call: ApiCall,
  locations: readonly ContainerLocation[],
  sizes: ContainerSizes | undefined,
): Iterable<string> {
  const now = Date.now();
  const nodes = new Map<Engine, RowNode>();
  for (const { engine, record } of locations) {
    const node = nodes.get(engine) ?? rowNode(call, engine);
    nodes.set(engine, node);
    const size = sizes?.get(record.id);
    yield size === undefined
      ? containerRowJson(record, node, now)
      : JSON.stringify(shownContainerRow({ ...wholeRow(record.row), ...size }, record, node, now));
  }
}
