// Volumes: create is idempotent by name; a volume that a container mounts cannot be removed.
import { badRequest, conflict } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import type { Call } from './call.ts';
import { ensureVolume, mountpointOf } from './container-creation.ts';
import { timeText } from './engine-state.ts';
import type { EngineState } from './engine-state.ts';
import { matchesName, parseFilters, passes, passesLabels, passesNegatedLabels } from './filters.ts';
import { textAt, textMapAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { publishVolumeEvent } from './lifecycle-events.ts';
import { flag } from './query.ts';
import type { VolumeRecord } from './records.ts';
import { route } from './router.ts';

export const volumeRoutes = [
  route('GET', '/volumes', list),
  route('POST', '/volumes/create', create),
  route('POST', '/volumes/prune', prune),
  route('GET', '/volumes/{name}', inspect),
  route('DELETE', '/volumes/{name}', remove),
];

export function volumeDocument(volume: VolumeRecord): JsonObject {
  return {
    CreatedAt: timeText(volume.createdNano).replace(/\.\d+Z$/, 'Z'),
    Driver: volume.driver,
    Labels: Object.keys(volume.labels).length === 0 ? null : volume.labels,
    Mountpoint: mountpointOf(volume.name),
    Name: volume.name,
    Options: Object.keys(volume.options).length === 0 ? null : volume.options,
    Scope: 'local',
  };
}

function list(state: EngineState, call: Call): void {
  const accepted = ['dangling', 'driver', 'label', 'label!', 'name'];
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const volumes = [...state.volumes.values()].filter(
    (volume) =>
      passes(filters, 'name', (value) => matchesName(volume.name, value)) &&
      passes(filters, 'driver', (value) => volume.driver === value) &&
      passes(filters, 'dangling', (value) => ['1', 'true'].includes(value) === (usersOf(state, volume).length === 0)) &&
      passesLabels(filters, volume.labels) &&
      passesNegatedLabels(filters, volume.labels),
  );
  call.json(200, { Volumes: volumes.map(volumeDocument), Warnings: null });
}

async function create(state: EngineState, call: Call): Promise<void> {
  const body = await call.readJson();
  const name = textAt(body, 'Name');
  if (name !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) throw invalidName(name);
  const driver = textAt(body, 'Driver') || 'local';
  const existing = state.volumes.get(name);
  if (existing && existing.driver !== driver) {
    throw conflict(`a volume named ${name} already exists with the ${existing.driver} driver: conflict`);
  }
  const facts = { driver, labels: textMapAt(body, 'Labels'), options: textMapAt(body, 'DriverOpts') };
  const isAnonymous = name === '';
  call.json(201, volumeDocument(ensureVolume(state, name || state.newId(), { ...facts, isAnonymous })));
}

function inspect(state: EngineState, call: Call, name: string): void {
  call.json(200, volumeDocument(state.volume(name)));
}

function remove(state: EngineState, call: Call, name: string): void {
  if (!state.volumes.has(name) && flag(call.query, 'force')) {
    call.empty(204);
    return;
  }
  const volume = state.volume(name);
  const users = usersOf(state, volume);
  if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
  drop(state, volume);
  call.empty(204);
}

/** From 1.42 on only anonymous volumes, unless the filter `all` is given; before that all that are unused. */
function prune(state: EngineState, call: Call): void {
  const isNewer = isAtLeast(call.version, '1.42');
  const accepted = ['label', 'label!', ...(isNewer ? ['all'] : [])];
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const takesNamed = !isNewer || (filters.get('all')?.some((value) => ['1', 'true'].includes(value)) ?? false);
  const pruned = [...state.volumes.values()].filter(
    (volume) =>
      usersOf(state, volume).length === 0 &&
      (takesNamed || volume.isAnonymous) &&
      passesLabels(filters, volume.labels) &&
      passesNegatedLabels(filters, volume.labels),
  );
  for (const volume of pruned) drop(state, volume);
  const attributes = { reclaimed: String(pruned.length * 4096) };
  state.journal.publish({ type: 'volume', action: 'prune', id: '', attributes });
  const names = pruned.length === 0 ? null : pruned.map(({ name }) => name);
  call.json(200, { VolumesDeleted: names, SpaceReclaimed: pruned.length * 4096 });
}

function drop(state: EngineState, volume: VolumeRecord): void {
  state.volumes.delete(volume.name);
  publishVolumeEvent(state, volume.name, 'destroy', { driver: volume.driver });
}

function usersOf(state: EngineState, volume: VolumeRecord): readonly string[] {
  const users = [...state.containers.values()].filter(({ mounts }) => mounts.some(({ Name }) => Name === volume.name));
  return users.map(({ id }) => id);
}

function invalidName(name: string): Error {
  return badRequest(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" ` +
      'are allowed. If you intended to pass a host directory, use absolute path',
  );
}
