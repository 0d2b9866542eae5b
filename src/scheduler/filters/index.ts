// The filters by name.
import { defaultOvercommit, type Overcommit } from '../capacity.ts';
import type { Filter } from '../contracts.ts';
import { createAffinityFilter } from './affinity.ts';
import { apiVersionFilter } from './api-version.ts';
import { constraintFilter } from './constraint.ts';
import { containerSlotsFilter } from './container-slots.ts';
import { dependencyFilter } from './dependency.ts';
import { devicesFilter } from './devices.ts';
import { healthFilter } from './health.ts';
import { allFilterNames, filterNames, standingFilterNames } from './names.ts';
import { networksFilter } from './networks.ts';
import { platformFilter } from './platform.ts';
import { portFilter } from './port.ts';
import { createReplicasFilter } from './replicas.ts';
import { createResourcesFilter } from './resources.ts';
import { taintsFilter } from './taints.ts';
import { volumesFilter } from './volumes.ts';
import { whitelistFilter } from './whitelist.ts';

export interface FilterOptions {
  readonly overcommit?: Overcommit | undefined;
  /** Filters of users by the reference under which `names` has them. */
  readonly plugIns?: ReadonlyMap<string, Filter> | undefined;
}

/**
 * The filters of `names` in that order, and then those that always apply and were not named. Where no built-in one is
 * named, all are in use: a plug-in alone is an addition. Throws an Error that names the accepted ones.
 */
export function openFilters(
  names: readonly string[] = [],
  { overcommit = defaultOvercommit, plugIns = new Map<string, Filter>() }: FilterOptions = {},
): readonly Filter[] {
  const chosen = names.every((name) => plugIns.has(name)) ? [...filterNames, ...names] : names;
  const known = new Map(allFilters(overcommit).map((filter) => [filter.name, filter]));
  return [...new Set([...chosen, ...standingFilterNames])].map((name) => {
    const filter = plugIns.get(name) ?? known.get(name);
    if (filter === undefined) throw new Error(`unknown filter "${name}": expected one of ${allFilterNames.join(', ')}`);
    return filter;
  });
}

function allFilters(overcommit: Overcommit): readonly Filter[] {
  return [
    healthFilter,
    portFilter,
    containerSlotsFilter,
    dependencyFilter,
    createAffinityFilter(),
    constraintFilter,
    whitelistFilter,
    taintsFilter,
    createReplicasFilter(),
    createResourcesFilter(overcommit),
    platformFilter,
    apiVersionFilter,
    volumesFilter,
    networksFilter,
    devicesFilter,
  ];
}
