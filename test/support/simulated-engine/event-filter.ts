// Which events an `/events` request asked for. Keys that the engine does not know are ignored.
import type { EngineEvent } from './event-journal.ts';
import { passes, passesLabels } from './filters.ts';
import type { Filters } from './filters.ts';
import { repositoryOf } from './image-reference.ts';

const objectTypes = ['container', 'network', 'volume', 'plugin', 'daemon', 'service', 'node', 'secret', 'config'];
const prefixActions = ['health_status', 'exec_create', 'exec_start'];

export function matchesEvent(event: EngineEvent, filters: Filters): boolean {
  if (filters.size === 0) return true;
  return (
    passes(filters, 'type', (value) => value === event.type) &&
    passes(filters, 'scope', (value) => value === 'local') &&
    passes(filters, 'event', (value) => matchesAction(event.action, value)) &&
    passes(filters, 'image', (value) => matchesImage(event, value)) &&
    passesLabels(filters, event.attributes) &&
    objectTypes.every((type) => passes(filters, type, (value) => event.type === type && matchesActor(event, value)))
  );
}

function matchesAction(action: string, value: string): boolean {
  return prefixActions.includes(value) ? action.startsWith(value) : action === value;
}

function matchesActor({ id, attributes }: EngineEvent, value: string): boolean {
  return id.startsWith(value) || attributes['name']?.startsWith(value) === true;
}

function matchesImage({ id, type, attributes }: EngineEvent, value: string): boolean {
  const names = [id, (type === 'image' ? attributes['name'] : attributes['image']) ?? ''];
  return names.some((name) => name === value || repositoryOf(name) === repositoryOf(value));
}
