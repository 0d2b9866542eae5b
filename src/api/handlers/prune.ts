// Pruning: every node is asked, what was deleted is put together, and a node that fails spoils nothing. Where an
// older engine would delete more than the client asked for, the manager does the deleting itself.
import { nodeFilter } from '../../cluster/nodes/node-filter.ts';
import { badRequest, ApiError } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import { Filters, matchLabels, parseFilters, booleanFilter } from '../../docker/filters.ts';
import { isWireObject, listMember, numberMember, textListMember } from '../../docker/go-member.ts';
import type { VolumeRow, WireObject } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { askEngine, assertSuccess } from '../engine-call.ts';
import { failures, fanOut, namedError, reachableEngines, successes } from '../fan-out.ts';
import { warnOfFailures } from '../node-warnings.ts';
import { refreshEngines } from '../refresh-engines.ts';

/** Deleting many large objects takes a while. */
const timeoutMs = 15 * 60_000;
const listTimeoutMs = 30_000;

/** POST /containers/prune. */
export async function pruneContainers(call: ApiCall): Promise<void> {
  const { report } = await pruneOnAll(call, 'ContainersDeleted', async (engine, prune) => {
    const pruned = await prune(call.query);
    for (const id of textListMember(pruned, 'ContainersDeleted')) engine.containerRemoved(id);
    return pruned;
  });
  call.send(200, report);
}

/** POST /images/prune. */
export async function pruneImages(call: ApiCall): Promise<void> {
  const { report, engines } = await pruneOnAll(call, 'ImagesDeleted', (_engine, prune) => prune(call.query));
  await refreshEngines(call, engines, 'Images');
  call.send(200, report);
}

/** POST /networks/prune. */
export async function pruneNetworks(call: ApiCall): Promise<void> {
  const { report, engines } = await pruneOnAll(call, 'NetworksDeleted', (_engine, prune) => prune(call.query));
  await refreshEngines(call, engines, 'Networks');
  // Engines reclaim no space here, and do not say so.
  call.send(200, { NetworksDeleted: report['NetworksDeleted'] });
}

/** POST /volumes/prune: from API 1.42 on only anonymous volumes, unless the filter `all` is given; before that all. */
export async function pruneVolumes(call: ApiCall): Promise<void> {
  const { report, engines } = await pruneOnAll(call, 'VolumesDeleted', async (engine, prune, signal) => {
    if (mustDeleteOneByOne(call, engine)) return await deleteUnusedVolumes(call, engine, signal);
    const isRaised =
      compareApiVersion(call.version, '1.42') < 0 && compareApiVersion(engine.apiVersion.min, '1.42') >= 0;
    return await prune(isRaised ? withFilter(call.query, 'all', 'true') : call.query);
  });
  await refreshEngines(call, engines, 'Volumes');
  call.send(200, report);
}

/** POST /build/prune. */
export async function pruneBuilds(call: ApiCall): Promise<void> {
  const { report } = await pruneOnAll(call, 'CachesDeleted', (engine, prune) => prune(buildQuery(call, engine)));
  call.send(200, report);
}

interface Pruned {
  readonly report: WireObject;
  /** Those that were asked. */
  readonly engines: readonly Engine[];
}

type PruneNatively = (query: URLSearchParams) => Promise<WireObject>;
type PruneOn = (engine: Engine, prune: PruneNatively, signal: AbortSignal) => Promise<WireObject>;

/** Throws the first node's error when no node could prune. */
async function pruneOnAll(call: ApiCall, listName: string, pruneOn: PruneOn): Promise<Pruned> {
  const filters = parseFilters(call.query.get('filters'));
  const engines = chosenEngines(call, filters);
  const outcomes = await fanOut(
    call,
    engines,
    (engine, signal) => pruneOn(engine, (query) => pruneNatively(call, engine, { query, signal }), signal),
    { timeoutMs },
  );
  const [failed] = failures(outcomes);
  const reports = successes(outcomes).map(({ value }) => value);
  if (failed !== undefined && reports.length === 0) throw namedError(call, failed);
  warnOfFailures(call, failures(outcomes));
  const deleted = new Map(
    reports.flatMap((report) => listMember(report, listName)).map((item) => [JSON.stringify(item), item]),
  );
  const SpaceReclaimed = reports.reduce((sum, report) => sum + numberMember(report, 'SpaceReclaimed'), 0);
  // As dockerd has it: of volumes alone, none are an empty list.
  const list = deleted.size === 0 && listName !== 'VolumesDeleted' ? null : [...deleted.values()];
  return { engines, report: { [listName]: list, SpaceReclaimed } };
}

/** `node` is a filter of the cluster's own. */
function chosenEngines(call: ApiCall, filters: Filters): readonly Engine[] {
  const engines = reachableEngines(call);
  const isWanted = nodeFilter(filters);
  return engines.filter((engine) => isWanted(call.cluster.members.identityOf(engine)));
}

interface NativePrune {
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
}

async function pruneNatively(call: ApiCall, engine: Engine, { query, signal }: NativePrune): Promise<WireObject> {
  const search = withoutNodeFilter(query).toString();
  const answer = await askEngine({ engine, path: call.path, search }, call, { body: Buffer.alloc(0), signal });
  assertSuccess(answer);
  const report: unknown = JSON.parse(answer.body.toString('utf8'));
  return isWireObject(report) ? report : {};
}

function withoutNodeFilter(query: URLSearchParams): URLSearchParams {
  const filters = parseFilters(query.get('filters'));
  if (!filters.has('node')) return query;
  const changed = new URLSearchParams(query);
  changed.set('filters', filters.without('node').toJson());
  return changed;
}

function withFilter(query: URLSearchParams, key: string, value: string): URLSearchParams {
  const changed = new URLSearchParams(query);
  changed.set('filters', parseFilters(query.get('filters')).without(key).with(key, [value]).toJson());
  return changed;
}

/**
 * An engine before API 1.42 deletes named volumes too. And any engine takes a volume that several nodes share for
 * unused when only another node uses it.
 */
function mustDeleteOneByOne(call: ApiCall, engine: Engine): boolean {
  const isAskedForAnonymous = compareApiVersion(call.version, '1.42') >= 0;
  if (isAskedForAnonymous && compareApiVersion(engine.apiVersion.max, '1.42') < 0) return true;
  return [...engine.mirror.volumes.values()].some(isShared);
}

async function deleteUnusedVolumes(call: ApiCall, engine: Engine, signal: AbortSignal): Promise<WireObject> {
  const filters = parseFilters(call.query.get('filters'));
  assertVolumeFilters(call, filters);
  const isNewer = compareApiVersion(call.version, '1.42') >= 0;
  const takesNamed = !isNewer || booleanFilter(filters, 'all') === true;
  const unused = await readUnusedVolumes(engine, signal);
  const doomed = unused.filter(
    (volume) =>
      (takesNamed || isAnonymous(volume)) && matchLabels(volume.Labels, filters) && !isUsedElsewhere(call, volume),
  );
  const deleted: string[] = [];
  for (const { Name } of doomed) if (await deleteVolume(engine, Name, signal)) deleted.push(Name);
  // What a volume holds is not known without counting it, which is slower than deleting it.
  return { VolumesDeleted: deleted, SpaceReclaimed: 0 };
}

function assertVolumeFilters(call: ApiCall, filters: Filters): void {
  const accepted = ['label', 'label!', 'node', ...(compareApiVersion(call.version, '1.42') >= 0 ? ['all'] : [])];
  for (const key of filters.keys()) if (!accepted.includes(key)) throw badRequest(`invalid filter '${key}'`);
}

async function readUnusedVolumes(engine: Engine, signal: AbortSignal): Promise<readonly VolumeRow[]> {
  const { body } = await engine.client.request({
    method: 'GET',
    path: '/volumes',
    query: { filters: new Filters([['dangling', ['true']]]).toJson() },
    signal,
    timeoutMs: listTimeoutMs,
  });
  return listMember(body, 'Volumes') as readonly VolumeRow[];
}

/** Engines before API 1.42 do not label the volumes that they name themselves. */
function isAnonymous({ Name, Labels }: VolumeRow): boolean {
  return Labels?.['com.docker.volume.anonymous'] !== undefined || /^[0-9a-f]{64}$/.test(Name);
}

function isShared({ Scope }: VolumeRow): boolean {
  return Scope === 'global';
}

function isUsedElsewhere({ cluster }: ApiCall, volume: VolumeRow): boolean {
  if (!isShared(volume)) return false;
  for (const { record } of cluster.containers.all())
    if (record.row.Mounts?.some(({ Name }) => Name === volume.Name) === true) return true;
  return false;
}

/** False when a container has begun to use it meanwhile, or it is gone. */
async function deleteVolume(engine: Engine, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await engine.client.request({ method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}`, signal });
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 409 || error.status === 404)) return false;
    throw error;
  }
}

/** `keep-storage` is called `reserved-space` from API 1.48 on; limits that an engine does not know would delete everything. */
function buildQuery(call: ApiCall, engine: Engine): URLSearchParams {
  const query = new URLSearchParams(call.query);
  const isNewer = compareApiVersion(engine.apiVersion.max, '1.48') >= 0 && compareApiVersion(call.version, '1.48') >= 0;
  const kept = query.get('reserved-space') ?? query.get('keep-storage');
  query.delete('reserved-space');
  query.delete('keep-storage');
  if (kept !== null) query.set(isNewer ? 'reserved-space' : 'keep-storage', kept);
  if (isNewer) return query;
  for (const name of ['max-used-space', 'min-free-space']) {
    if (Number(query.get(name) ?? 0) === 0) continue;
    throw badRequest(`${name} needs an engine of API 1.48 or newer`);
  }
  return query;
}
