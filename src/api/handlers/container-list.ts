// GET /containers/json: the merged list, made from the mirrors in the order of one engine (newest first). Filters
// look at each container by itself; before, since and limit at the whole.
import { badRequest } from '../../common/errors.ts';
import type { ContainerBlock, ContainerLocation } from '../../cluster/locations.ts';
import { parseFilters, type Filters } from '../../docker/filters.ts';
import { parseGoBool } from '../../docker/go-bool.ts';
import type { Engine } from '../../engine/engine.ts';
import { wholeRow } from '../../engine/kept-row.ts';
import type { ApiCall } from '../api-call.ts';
import { sendJsonRows } from '../list-answer.ts';
import { markPartial } from '../silent-nodes.ts';
import { rowNode, shownContainerRow, type RowNode } from '../views/container-row.ts';
import { containerTests, selectFrom, type ContainerTest } from '../views/container-selection.ts';
import { blockBytes, rowBytes, type RowNodes } from '../views/written-rows.ts';
import { readContainerSizes, type ContainerSizes } from './container-sizes.ts';

export async function listContainers(call: ApiCall): Promise<void> {
  const { cluster, query } = call;
  const filters = parseFilters(query.get('filters'));
  const limit = parseLimit(query.get('limit'));
  const all = parseGoBool(query.get('all')) || limit > 0;
  const tests = [
    ...containerTests({ filters, all, identityOf: (engine) => cluster.members.identityOf(engine) }),
    ...boundaries(call, filters),
    ...ofCompose(call, filters),
  ];
  const shown = select(cluster.containers.newestFirst(), tests, limit);
  const nodes = new CallRowNodes(call);
  markPartial(call);
  if (!parseGoBool(query.get('size'))) {
    await sendJsonRows(call, shownRows(shown, nodes));
    return;
  }
  const sizes = await readContainerSizes(
    call,
    shown.flatMap(({ rows }) => rows),
  );
  await sendJsonRows(call, rowsWithSizes(shown, nodes, sizes));
}

/** -1 and 0 mean no limit. */
function parseLimit(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^-?\d{1,9}$/.test(text)) throw badRequest(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Strictly older than the filter `before` and strictly newer than `since`, wherever these two run. */
function boundaries({ cluster }: ApiCall, filters: Filters): ContainerTest[] {
  const boundary = (name: string): ContainerLocation | undefined => {
    const reference = filters.get(name)[0] ?? '';
    return reference === '' ? undefined : cluster.containers.resolve(reference);
  };
  const [before, since] = [boundary('before'), boundary('since')];
  const isOlder = (a: ContainerLocation, b: ContainerLocation): boolean => cluster.containers.compareAge(b, a) < 0;
  return [
    ...(before === undefined ? [] : [{ accepts: (one: ContainerLocation) => isOlder(one, before) }]),
    ...(since === undefined ? [] : [{ accepts: (one: ContainerLocation) => isOlder(since, one) }]),
  ];
}

/** Compose would take a copy that was put away for one container too many, and remove it. */
function ofCompose({ cluster }: ApiCall, filters: Filters): ContainerTest[] {
  const asksForProject = filters.get('label').some((label) => label.startsWith('com.docker.compose.'));
  return asksForProject ? [{ accepts: (location) => cluster.containers.isCurrent(location) }] : [];
}

interface Shown {
  readonly block: ContainerBlock;
  /** The block itself when all of it is shown. */
  readonly rows: ContainerBlock;
}

function select(blocks: readonly ContainerBlock[], tests: readonly ContainerTest[], limit: number): readonly Shown[] {
  const shown: Shown[] = [];
  let left = limit > 0 ? limit : Infinity;
  for (const block of blocks) {
    if (left === 0) break;
    const selected = selectFrom(block, tests);
    const rows = selected.length > left ? selected.slice(0, left) : selected;
    left -= rows.length;
    if (rows.length > 0) shown.push({ block, rows });
  }
  return shown;
}

function* shownRows(shown: readonly Shown[], nodes: RowNodes): Iterable<Buffer> {
  for (const { block, rows } of shown) {
    const now = Date.now();
    yield rows === block ? blockBytes(block, nodes, now) : rowBytes(rows, nodes, now);
  }
}

function* rowsWithSizes(shown: readonly Shown[], nodes: RowNodes, sizes: ContainerSizes): Iterable<Buffer> {
  for (const { engine, record } of shown.flatMap(({ rows }) => rows)) {
    const row = { ...wholeRow(record.row), ...sizes.get(record.id) };
    yield Buffer.from(`,${JSON.stringify(shownContainerRow(row, record, nodes.of(engine), Date.now()))}`);
  }
}

/** The nodes as they are at the moment of a call. */
class CallRowNodes implements RowNodes {
  readonly revision: string;
  readonly #call: ApiCall;
  readonly #nodes = new Map<Engine, RowNode>();

  constructor(call: ApiCall) {
    this.#call = call;
    this.revision = `${call.cluster.members.revision} ${call.settings.prefixesNamesWithNode}`;
  }

  of(engine: Engine): RowNode {
    let node = this.#nodes.get(engine);
    if (node === undefined) this.#nodes.set(engine, (node = rowNode(this.#call, engine)));
    return node;
  }
}
