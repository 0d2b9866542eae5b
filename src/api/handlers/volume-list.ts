// GET /volumes: the volumes of all nodes as one list, from the mirrors.
import { nodeNameFilter } from '../../cluster/nodes/node-filter.ts';
import { badRequest, errorMessage } from '../../common/errors.ts';
import {
  assertKnownFilters,
  booleanFilter,
  matchesExactly,
  matchLabels,
  parseFilters,
  patternFilter,
  type Filters,
} from '../../docker/filters.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { markPartial } from '../silent-nodes.ts';
import { mergeVolumeRows, type ListedVolume } from '../views/volume-rows.ts';
import { rowParts } from '../views/row-parts.ts';

const knownFilters = ['dangling', 'driver', 'label', 'name', 'node'];

export function listVolumes(call: ApiCall): Promise<void> {
  const filters = readFilters(call);
  assertKnownFilters(filters, knownFilters);
  const isWanted = volumePredicate(call, filters);
  const volumes = listedVolumes(call)
    .filter(isWanted)
    .map(({ row }) => row);
  const silent = markPartial(call);
  const warnings = silent.map(
    ({ name, age }) => `node ${name} does not answer; its volumes are shown as of ${age} ago`,
  );
  call.send(200, { Volumes: volumes, Warnings: warnings.length === 0 ? null : warnings });
  return Promise.resolve();
}

function readFilters({ query }: ApiCall): Filters {
  try {
    return parseFilters(query.get('filters'));
  } catch (error) {
    throw badRequest(`error reading volume filters: ${errorMessage(error)}`, { cause: error });
  }
}

function listedVolumes({ cluster }: ApiCall): ListedVolume<Engine>[] {
  return mergeVolumeRows(
    cluster.members.engines.map((engine) => ({
      node: cluster.members.identityOf(engine).name,
      source: engine,
      rows: engine.mirror.volumes.values(),
    })),
  );
}

function volumePredicate(call: ApiCall, filters: Filters): (volume: ListedVolume<Engine>) => boolean {
  const dangling = booleanFilter(filters, 'dangling');
  const matchesName = patternFilter(filters, 'name');
  const isWantedNode = nodeNameFilter(
    filters,
    call.cluster.members.engines.map((engine) => call.cluster.members.identityOf(engine)),
  );
  const usedByEngine = new Map<Engine, ReadonlySet<string>>();
  const isUsed = (engine: Engine, name: string): boolean => {
    const used = usedByEngine.get(engine) ?? usedVolumeNames(engine);
    usedByEngine.set(engine, used);
    return used.has(name);
  };
  return ({ row, plainName, nodes, sources }) =>
    (matchesName(plainName) || matchesName(row.Name)) &&
    nodes.some(isWantedNode) &&
    matchesExactly(filters, 'driver', row.Driver) &&
    matchLabels(row.Labels, filters) &&
    (dangling === undefined || sources.some((engine) => isUsed(engine, plainName)) !== dangling);
}

/** A stopped container holds its volumes too. */
function usedVolumeNames(engine: Engine): ReadonlySet<string> {
  const names = new Set<string>();
  for (const record of engine.mirror.containers.values()) {
    for (const { Type, Name } of rowParts(record).mounts) if (Type === 'volume' && Name !== undefined) names.add(Name);
  }
  return names;
}
