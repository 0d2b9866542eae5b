// The engine's `ps`: newest first, cut by before and since, filtered, and limited last.
import { ApiError, badRequest } from '../../../src/common/errors.ts';
import type { Call } from './call.ts';
import { isRunning } from './container-lifecycle.ts';
import type { EngineState } from './engine-state.ts';
import { matchesName, parseFilters, passes, passesLabels } from './filters.ts';
import type { Filters } from './filters.ts';
import { objectAt } from './json.ts';
import { flag, wholeNumber } from './query.ts';
import type { ContainerRecord } from './records.ts';

const accepted = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
const statuses = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

/** The containers that the request asks for, in the order of the answer. */
export function listedContainers(state: EngineState, call: Call): readonly ContainerRecord[] {
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const unknown = filters.get('status')?.find((status) => !statuses.includes(status));
  if (unknown !== undefined) throw badRequest(`invalid filter 'status=${unknown}'`);
  const limit = wholeNumber(call.query, 'limit') ?? 0;
  const takesAll = flag(call.query, 'all') || limit > 0 || filters.has('status');
  const newestFirst = [...state.containers.values()].sort((a, b) => (a.createdNano < b.createdNano ? 1 : -1));
  const listed = withinBounds(state, newestFirst, filters).filter(
    (container) => (takesAll || isRunning(container)) && isListed(state, container, filters),
  );
  return limit > 0 ? listed.slice(0, limit) : listed;
}

function withinBounds(
  state: EngineState,
  containers: readonly ContainerRecord[],
  filters: Filters,
): readonly ContainerRecord[] {
  const before = boundary(state, filters, 'before');
  const since = boundary(state, filters, 'since');
  return containers.filter(
    ({ createdNano }) =>
      (before === undefined || createdNano < before.createdNano) &&
      (since === undefined || createdNano > since.createdNano),
  );
}

function boundary(state: EngineState, filters: Filters, key: string): ContainerRecord | undefined {
  const reference = filters.get(key)?.[0];
  if (reference === undefined) return undefined;
  const container = state.findContainer(reference);
  if (!container) throw new ApiError(500, `no such container ${reference}`);
  return container;
}

function isListed(state: EngineState, container: ContainerRecord, filters: Filters): boolean {
  if (filters.size === 0) return true;
  return (
    passes(filters, 'id', (value) => container.id.startsWith(value)) &&
    passes(
      filters,
      'name',
      (value) => matchesName(container.name, value) || matchesName(`/${container.name}`, value),
    ) &&
    passes(filters, 'status', (value) => container.status === value) &&
    passes(filters, 'exited', (value) => container.status === 'exited' && container.exitCode === Number(value)) &&
    passes(filters, 'health', (value) => value === 'none') &&
    passes(filters, 'is-task', (value) => ['0', 'false'].includes(value)) &&
    passes(filters, 'volume', (value) =>
      container.mounts.some(({ Name, Destination }) => value === Name || value === Destination),
    ) &&
    passes(filters, 'network', (value) =>
      [...container.endpoints].some(([name, { networkId }]) => name === value || networkId.startsWith(value)),
    ) &&
    passes(filters, 'ancestor', (value) => state.findImage(value)?.id === container.imageId) &&
    passes(filters, 'publish', (value) => container.ports.some(({ publicPort }) => publicPort === portNumber(value))) &&
    passes(filters, 'expose', (value) => isExposed(container, portNumber(value))) &&
    passesLabels(filters, container.labels)
  );
}

function isExposed(container: ContainerRecord, port: number): boolean {
  return Object.keys(objectAt(container.body, 'ExposedPorts')).some((key) => portNumber(key) === port);
}

function portNumber(text: string): number {
  return Number(text.split('/')[0]);
}
