// GET /networks: the networks of all nodes as one list, from the mirrors.
import { nodeNameFilter } from '../../cluster/nodes/node-filter.ts';
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import {
  assertKnownFilters,
  booleanFilter,
  matchesExactly,
  matchLabels,
  parseFilters,
  patternFilter,
  type Filters,
} from '../../docker/filters.ts';
import { isBuiltinNetwork } from '../../docker/predefined-networks.ts';
import type { NetworkRow } from '../../docker/types.ts';
import type { ApiCall } from '../api-call.ts';
import { markPartial } from '../silent-nodes.ts';
import { networkContainers } from '../views/network-containers.ts';
import { mergeNetworkRows, type ListedNetwork } from '../views/network-rows.ts';
import { rowParts } from '../views/row-parts.ts';

const knownFilters = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type', 'node'];

export function listNetworks(call: ApiCall): Promise<void> {
  const filters = parseFilters(call.query.get('filters'));
  assertKnownFilters(filters, knownFilters);
  const isWanted = networkPredicate(call, filters);
  markPartial(call);
  const listed = listedNetworks(call).filter(isWanted);
  call.send(200, compareApiVersion(call.version, '1.28') < 0 ? withContainers(call, listed) : rowsOf(listed));
  return Promise.resolve();
}

function rowsOf(listed: readonly ListedNetwork[]): NetworkRow[] {
  return listed.map(({ row }) => row);
}

function withContainers({ cluster }: ApiCall, listed: readonly ListedNetwork[]): NetworkRow[] {
  const known = networkContainers([...cluster.containers.all()].map(({ record }) => record));
  return listed.map(({ row, ids }) => ({
    ...row,
    Containers: Object.fromEntries(ids.flatMap((id) => Object.entries(known.get(id) ?? {}))),
  }));
}

function listedNetworks({ cluster }: ApiCall): ListedNetwork[] {
  return mergeNetworkRows(
    cluster.members.engines.map((engine) => ({
      node: cluster.members.identityOf(engine).name,
      rows: engine.mirror.networks.values(),
    })),
  );
}

function networkPredicate(call: ApiCall, filters: Filters): (network: ListedNetwork) => boolean {
  for (const type of filters.get('type')) {
    if (type !== 'custom' && type !== 'builtin') throw badRequest(`invalid filter: 'type'='${type}'`);
  }
  const matchesId = patternFilter(filters, 'id');
  const matchesName = patternFilter(filters, 'name');
  const isWantedNode = nodeNameFilter(
    filters,
    call.cluster.members.engines.map((engine) => call.cluster.members.identityOf(engine)),
  );
  const isDanglingAsWanted = danglingPredicate(call, filters);
  return (network) => {
    const { row, plainName, nodes, ids } = network;
    return (
      ids.some(matchesId) &&
      (matchesName(plainName) || matchesName(row.Name)) &&
      nodes.some(isWantedNode) &&
      matchesExactly(filters, 'driver', row.Driver ?? '') &&
      matchesExactly(filters, 'scope', row.Scope ?? '') &&
      matchesExactly(filters, 'type', isBuiltinNetwork(plainName) ? 'builtin' : 'custom') &&
      matchLabels(row.Labels, filters) &&
      isDanglingAsWanted(network)
    );
  };
}

/** A predefined network never dangles. */
function danglingPredicate(call: ApiCall, filters: Filters): (network: ListedNetwork) => boolean {
  const refusal = `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`;
  const wanted = booleanFilter(filters, 'dangling', refusal);
  if (wanted === undefined) return () => true;
  const used = usedNetworkIds(call);
  return ({ plainName, ids }) => (!isBuiltinNetwork(plainName) && !ids.some((id) => used.has(id))) === wanted;
}

/** Ids of the networks that a container is connected to: only containers that run have endpoints. */
function usedNetworkIds({ cluster }: ApiCall): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { record } of cluster.containers.all()) {
    if (record.row.State === 'exited' || record.row.State === 'created') continue;
    for (const { id } of rowParts(record).networks) ids.add(id);
  }
  return ids;
}
