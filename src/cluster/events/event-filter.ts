// Which events a client asked for. All keys must match; of the values of one key any does, except of `label`, where
// all must. Keys that no engine knows are ignored, as engines do here and nowhere else.
import { hasLabel } from '../../docker/filters.ts';
import type { Filters } from '../../docker/filters.ts';
import { normalizeReference } from '../../docker/image-reference.ts';
import type { DockerEvent } from '../../docker/types.ts';
import { nodeFilter } from '../nodes/node-filter.ts';

/** Keys whose values are compared with the id and the name of what the event is about, whatever its type. */
const actorKeys = ['container', 'network', 'volume', 'plugin', 'daemon', 'service', 'secret', 'config'] as const;

/** Actions that carry more behind them ("exec_create: sh"), so that the bare word stands for all of them. */
const openActions = ['health_status', 'exec_create', 'exec_start'];

export function eventFilter(filters: Filters): (event: DockerEvent) => boolean {
  if (filters.isEmpty) return () => true;
  const tests = [
    exactly(filters, 'type', (event) => event.Type),
    exactly(filters, 'scope', (event) => event.scope ?? ''),
    actionTest(filters),
    labelTest(filters),
    imageTest(filters),
    nodeTest(filters),
    ...actorKeys.map((key) => actorTest(filters, key)),
  ].filter((test) => test !== undefined);
  return (event) => tests.every((test) => test(event));
}

type Test = (event: DockerEvent) => boolean;

function exactly(filters: Filters, key: string, read: (event: DockerEvent) => string): Test | undefined {
  if (!filters.has(key)) return undefined;
  const values = new Set(filters.get(key));
  return (event) => values.has(read(event));
}

function actionTest(filters: Filters): Test | undefined {
  if (!filters.has('event')) return undefined;
  const values = filters.get('event');
  const prefixes = values.filter((value) => openActions.includes(value));
  return ({ Action }) => values.includes(Action) || prefixes.some((prefix) => Action.startsWith(prefix));
}

function labelTest(filters: Filters): Test | undefined {
  if (!filters.has('label')) return undefined;
  const wanted = filters.get('label');
  return (event) => wanted.every((label) => hasLabel(event.Actor.Attributes ?? {}, label));
}

function imageTest(filters: Filters): Test | undefined {
  if (!filters.has('image')) return undefined;
  const wanted = new Set(filters.get('image').flatMap(imageSpellings));
  return ({ Type, Actor }) => {
    const name = Actor.Attributes?.[Type === 'image' ? 'name' : 'image'];
    const spellings = [Actor.ID, name ?? '', withoutTag(name ?? '')].flatMap(imageSpellings);
    return spellings.some((spelling) => wanted.has(spelling));
  };
}

function imageSpellings(reference: string): string[] {
  if (reference === '') return [];
  const normalized = normalizeReference(reference);
  return normalized === undefined ? [reference] : [reference, normalized];
}

function withoutTag(reference: string): string {
  const colon = reference.lastIndexOf(':');
  return colon === -1 || reference.includes('/', colon) ? reference : reference.slice(0, colon);
}

/** The node that an event comes from, or the swarm-mode node that it is about. */
function nodeTest(filters: Filters): Test | undefined {
  if (!filters.has('node')) return undefined;
  const isWanted = nodeFilter(filters);
  return ({ Type, Actor }) => {
    const { 'node.name': name = '', 'node.id': id = '', name: ownName = '' } = Actor.Attributes ?? {};
    return isWanted({ id, name }) || (Type === 'node' && isWanted({ id: Actor.ID, name: ownName }));
  };
}

/** A value may be written `node/name`; then both must match. */
function actorTest(filters: Filters, key: (typeof actorKeys)[number]): Test | undefined {
  if (!filters.has(key)) return undefined;
  const values = filters.get(key).map((value) => value.replace(/^\//, ''));
  return (event) => values.some((value) => isAbout(event, value));
}

function isAbout({ Actor }: DockerEvent, value: string): boolean {
  const name = Actor.Attributes?.['name'] ?? '';
  if (Actor.ID.startsWith(value) || (name !== '' && name.startsWith(value))) return true;
  const slash = value.indexOf('/');
  if (slash === -1) return false;
  const node = value.slice(0, slash);
  const isFromNode = Actor.Attributes?.['node.name'] === node || Actor.Attributes?.['node.id'] === node;
  const rest = value.slice(slash + 1);
  return isFromNode && rest !== '' && (Actor.ID.startsWith(rest) || name.startsWith(rest));
}
