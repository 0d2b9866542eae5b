// Which containers a list shows: the filters of GET /containers/json as predicates over what the mirror holds.
// The order of the steps is that of dockerd's list.go; before, since and limit look past a single container and
// are applied by the list itself.
import { badRequest } from '../../common/errors.ts';
import type { ContainerLocation } from '../../cluster/locations.ts';
import {
  assertKnownFilters,
  booleanFilter,
  matchesExactly,
  matchLabels,
  patternFilter,
  type Filters,
} from '../../docker/filters.ts';
import { matchesReference } from '../../docker/image-reference.ts';
import type { PortRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { NodeIdentity } from '../../cluster/locations.ts';

export type ContainerPredicate = (location: ContainerLocation) => boolean;

const knownFilters = [
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
  'node',
  'publish',
  'since',
  'status',
  'volume',
];

const states = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];

export interface SelectionFacts {
  readonly filters: Filters;
  /** Stopped containers too. A `status` filter implies it. */
  readonly all: boolean;
  readonly identityOf: (engine: Engine) => NodeIdentity;
}

/** Throws ApiError 400 for a filter or value that dockerd would refuse. */
export function containerPredicates({ filters, all, identityOf }: SelectionFacts): readonly ContainerPredicate[] {
  assertKnownFilters(filters, knownFilters);
  const predicates = [
    all || filters.has('status') ? undefined : isUp,
    nodePredicate(filters, identityOf),
    idPredicate(filters),
    namePredicate(filters, identityOf),
    taskPredicate(filters),
    filters.has('label')
      ? ((({ record }) => matchLabels(record.row.Labels, filters)) satisfies ContainerPredicate)
      : undefined,
    exitedPredicate(filters),
    statusPredicate(filters),
    healthPredicate(filters),
    volumePredicate(filters),
    ancestorPredicate(filters),
    networkPredicate(filters),
    portPredicate(filters),
  ];
  return predicates.filter((predicate) => predicate !== undefined);
}

function isUp({ record }: ContainerLocation): boolean {
  const { State: state } = record.row;
  return state === 'running' || state === 'paused' || state === 'restarting';
}

function nodePredicate(filters: Filters, identityOf: SelectionFacts['identityOf']): ContainerPredicate | undefined {
  if (!filters.has('node')) return undefined;
  const matches = patternFilter(filters, 'node');
  return ({ engine }) => {
    const { id, name } = identityOf(engine);
    return matches(name) || filters.get('node').includes(id);
  };
}

function idPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('id')) return undefined;
  const matches = patternFilter(filters, 'id');
  return ({ record }) => matches(record.id);
}

/** With and without the leading slash, and in front of the node's name. */
function namePredicate(filters: Filters, identityOf: SelectionFacts['identityOf']): ContainerPredicate | undefined {
  if (!filters.has('name')) return undefined;
  const matches = patternFilter(filters, 'name');
  return ({ record, engine }) =>
    record.row.Names.some(
      (name) => matches(name.slice(1)) || matches(name) || matches(`${identityOf(engine).name}${name}`),
    );
}

function taskPredicate(filters: Filters): ContainerPredicate | undefined {
  const wanted = booleanFilter(filters, 'is-task');
  if (wanted === undefined) return undefined;
  return ({ record }) => Object.hasOwn(record.row.Labels ?? {}, 'com.docker.swarm.task') === wanted;
}

function exitedPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('exited')) return undefined;
  const codes = filters.get('exited').map((text) => {
    if (!/^-?\d+$/.test(text)) throw badRequest(`invalid filter 'exited=${text}'`);
    return Number(text);
  });
  return (location) => {
    const { details } = location.record;
    return details?.startedAtMs !== undefined && !isUp(location) && codes.includes(details.exitCode);
  };
}

function statusPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('status')) return undefined;
  for (const state of filters.get('status')) {
    if (!states.includes(state)) throw badRequest(`invalid filter 'status=${state}'`);
  }
  return ({ record }) => matchesExactly(filters, 'status', record.row.State ?? '');
}

function healthPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('health')) return undefined;
  for (const health of filters.get('health')) {
    if (!healths.includes(health)) throw badRequest(`invalid filter 'health=${health}'`);
  }
  return ({ record }) => matchesExactly(filters, 'health', record.details?.health ?? 'none');
}

/** By the volume's name (also `node/name`), its source or its place in the container. */
function volumePredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('volume')) return undefined;
  const wanted = filters.get('volume').flatMap((value) => [value, withoutNode(value)]);
  return ({ record }) =>
    (record.row.Mounts ?? []).some(({ Name, Source, Destination }) =>
      [Name, Source, Destination].some((word) => word !== undefined && word !== '' && wanted.includes(word)),
    );
}

/** Containers of an image or of one that was built upon it; ids differ between engines, so each looks for its own. */
function ancestorPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('ancestor')) return undefined;
  const idsByEngine = new Map<Engine, ReadonlySet<string>>();
  return ({ engine, record }) => {
    const ids = idsByEngine.get(engine) ?? descendants(engine, filters.get('ancestor'));
    idsByEngine.set(engine, ids);
    return ids.has(record.row.ImageID);
  };
}

function descendants(engine: Engine, references: readonly string[]): ReadonlySet<string> {
  const { images } = engine.mirror;
  const found = new Set<string>();
  const add = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    for (const { Id, ParentId } of images) if (ParentId === id) add(Id);
  };
  for (const { Id, RepoTags, RepoDigests } of images) {
    const names = { id: Id, repoTags: RepoTags, repoDigests: RepoDigests };
    if (references.some((reference) => matchesReference(reference, names))) add(Id);
  }
  return found;
}

function networkPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('network')) return undefined;
  const wanted = filters.get('network').flatMap((value) => [value, withoutNode(value)]);
  return ({ record }) =>
    Object.entries(record.row.NetworkSettings?.Networks ?? {}).some(([name, { NetworkID = '' }]) =>
      wanted.some((value) => value === name || (value !== '' && NetworkID.startsWith(value))),
    );
}

function portPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('publish') && !filters.has('expose')) return undefined;
  const published = filters.get('publish').map((text) => portRange('publish', text));
  const exposed = filters.get('expose').map((text) => portRange('expose', text));
  return ({ record }) =>
    (record.row.Ports ?? []).some(
      (port) =>
        published.some((range) => isWithin(range, port, port.PublicPort)) ||
        exposed.some((range) => isWithin(range, port, port.PrivatePort)),
    );
}

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** "80", "80/udp", "8000-8010/tcp"; tcp where nothing is said. */
function portRange(filter: string, text: string): PortRange {
  const parts = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const first = Number(parts?.[1]);
  const last = Number(parts?.[2] ?? parts?.[1]);
  if (!parts || first > last || last > 65535) throw badRequest(`invalid filter '${filter}=${text}'`);
  return { first, last, protocol: (parts[3] ?? 'tcp').toLowerCase() };
}

function isWithin({ first, last, protocol }: PortRange, { Type }: PortRow, port: number | undefined): boolean {
  return port !== undefined && Type === protocol && port >= first && port <= last;
}

/** A slash cannot stand in an engine's own name, so what is before it is a node. */
function withoutNode(reference: string): string {
  return reference.startsWith('/') ? reference : reference.slice(reference.indexOf('/') + 1);
}
