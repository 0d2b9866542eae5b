// Which containers a list shows: the filters of GET /containers/json as predicates over what the mirror holds.
// The order of the steps is that of dockerd's list.go; before, since and limit look past a single container and
// are applied by the list itself.
import { badRequest, type ApiError } from '../../common/errors.ts';
import type { ContainerBlock, ContainerLocation, NodeIdentity } from '../../cluster/locations.ts';
import { nodeFilter } from '../../cluster/nodes/node-filter.ts';
import {
  assertKnownFilters,
  booleanFilter,
  labelFilter,
  matchesExactly,
  patternFilter,
  patternText,
  type Filters,
} from '../../docker/filters.ts';
import type { Engine } from '../../engine/engine.ts';
import { blockFacts, isUp } from './block-facts.ts';
import { descendants } from './image-ancestry.ts';
import { rowParts } from './row-parts.ts';

export type ContainerPredicate = (location: ContainerLocation) => boolean;

export interface ContainerTest {
  readonly accepts: ContainerPredicate;
  /** Which containers of a block are accepted, as far as that is known without a look at each; absent: unknown. */
  readonly judge?: (block: ContainerBlock) => 'all' | 'none' | 'unknown';
}

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

const states = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];

export interface SelectionFacts {
  readonly filters: Filters;
  /** Stopped containers too. A `status` filter implies it. */
  readonly all: boolean;
  readonly identityOf: (engine: Engine) => NodeIdentity;
}

/** The containers of `block` that pass every test; `block` itself when all of them do. */
export function selectFrom(block: ContainerBlock, tests: readonly ContainerTest[]): ContainerBlock {
  const open: ContainerPredicate[] = [];
  for (const { accepts, judge } of tests) {
    const verdict = judge?.(block) ?? 'unknown';
    if (verdict === 'none') return [];
    if (verdict === 'unknown') open.push(accepts);
  }
  const selected = open.length === 0 ? block : block.filter((location) => open.every((accepts) => accepts(location)));
  return selected.length === block.length ? block : selected;
}

/** Throws ApiError 400 for a filter or value that dockerd would refuse. */
export function containerTests({ filters, all, identityOf }: SelectionFacts): readonly ContainerTest[] {
  assertKnownFilters(filters, knownFilters);
  const predicates = [
    nodePredicate(filters, identityOf),
    idPredicate(filters),
    taskPredicate(filters),
    exitedPredicate(filters),
    statusPredicate(filters),
    healthPredicate(filters),
    volumePredicate(filters, identityOf),
    ancestorPredicate(filters),
    networkPredicate(filters, identityOf),
    portPredicate(filters),
  ];
  return [
    ...(all || filters.has('status') ? [] : [upTest]),
    ...(filters.has('name') ? [nameTest(filters, identityOf)] : []),
    ...(filters.has('label') ? [labelTest(filters)] : []),
    ...predicates.flatMap((accepts) => (accepts === undefined ? [] : [{ accepts }])),
  ];
}

const upTest: ContainerTest = {
  accepts: isUp,
  judge: (block) => {
    const { up } = blockFacts(block);
    if (up === block.length) return 'all';
    return up === 0 ? 'none' : 'unknown';
  },
};

function nodePredicate(filters: Filters, identityOf: SelectionFacts['identityOf']): ContainerPredicate | undefined {
  if (!filters.has('node')) return undefined;
  const isWanted = nodeFilter(filters);
  return ({ engine }) => isWanted(identityOf(engine));
}

function idPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('id')) return undefined;
  const matches = patternFilter(filters, 'id');
  return ({ record }) => matches(record.id);
}

/** With and without the leading slash; behind the node's name only for a value that is written so. */
function nameTest(filters: Filters, identityOf: SelectionFacts['identityOf']): ContainerTest {
  const matches = patternFilter(filters, 'name');
  const namesNode = filters.get('name').some((value) => value.replace(/^\^?\/?/, '').includes('/'));
  const texts = filters.get('name').map(patternText);
  return {
    accepts: ({ record, engine }) =>
      record.row.Names.some(
        (name) =>
          matches(name) || matches(name.slice(1)) || (namesNode && matches(`${identityOf(engine).name}${name}`)),
      ),
    judge: (block) => {
      const facts = blockFacts(block);
      return namesNode || texts.some((text) => facts.mayHaveName(text)) ? 'unknown' : 'none';
    },
  };
}

function labelTest(filters: Filters): ContainerTest {
  const matches = labelFilter(filters);
  const wanted = filters.get('label');
  return {
    accepts: ({ record }) => matches(record.row.Labels),
    judge: (block) => {
      const facts = blockFacts(block);
      return wanted.every((label) => facts.hasLabel(label)) ? 'unknown' : 'none';
    },
  };
}

function taskPredicate(filters: Filters): ContainerPredicate | undefined {
  const wanted = booleanFilter(filters, 'is-task');
  if (wanted === undefined) return undefined;
  return ({ record }) => Object.hasOwn(record.row.Labels ?? {}, 'com.docker.swarm.task') === wanted;
}

function exitedPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('exited')) return undefined;
  const codes = filters.get('exited').map((text) => {
    if (!/^-?\d+$/.test(text))
      throw badRequest(
        `invalid filter 'exited=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
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
    if (!states.includes(state)) throw notOneOf(states, `'status=${state}': invalid value for state (${state})`);
  }
  return ({ record }) => matchesExactly(filters, 'status', record.row.State ?? '');
}

function notOneOf(accepted: readonly string[], refused: string): ApiError {
  return badRequest(`invalid filter ${refused}: must be one of ${accepted.join(', ')}`);
}

function healthPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('health')) return undefined;
  for (const health of filters.get('health')) {
    if (!healths.includes(health)) throw notOneOf(healths, `'health=${health}': invalid value for health (${health})`);
  }
  return ({ record }) => matchesExactly(filters, 'health', record.details?.health ?? 'none');
}

/** By the volume's name (also `node/name`), its place in the container, or the source of what is no volume. */
function volumePredicate(filters: Filters, identityOf: SelectionFacts['identityOf']): ContainerPredicate | undefined {
  if (!filters.has('volume')) return undefined;
  const wanted = filters.get('volume');
  return ({ record, engine }) =>
    rowParts(record).mounts.some(({ Name, Source, Destination = '' }) => {
      if (wanted.includes(Destination)) return true;
      const isVolume = Name !== undefined && Name !== '';
      if (!isVolume) return wanted.includes(Source ?? '');
      return wanted.includes(Name) || wanted.includes(`${identityOf(engine).name}/${Name}`);
    });
}

/** Containers of an image or of one that was built upon it; ids differ between engines, so each looks for its own. */
function ancestorPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('ancestor')) return undefined;
  const idsByEngine = new Map<Engine, ReadonlySet<string>>();
  return ({ engine, record }) => {
    const ids = idsByEngine.get(engine) ?? descendants(engine.mirror.images, filters.get('ancestor'));
    idsByEngine.set(engine, ids);
    return ids.has(record.row.ImageID);
  };
}

/** By the network's name (also `node/name`) or the beginning of its id. */
function networkPredicate(filters: Filters, identityOf: SelectionFacts['identityOf']): ContainerPredicate | undefined {
  if (!filters.has('network')) return undefined;
  const wanted = filters.get('network').filter((value) => value !== '');
  return ({ record, engine }) =>
    rowParts(record).networks.some(({ name, id }) =>
      wanted.some((value) => value === name || id.startsWith(value) || value === `${identityOf(engine).name}/${name}`),
    );
}

/** `publish` looks at ports of the host, `expose` at those of the container; what does not run has neither. */
function portPredicate(filters: Filters): ContainerPredicate | undefined {
  if (!filters.has('publish') && !filters.has('expose')) return undefined;
  const published = filters.get('publish').map((text) => portRange('publish', text));
  const exposed = filters.get('expose').map((text) => portRange('expose', text));
  return ({ record }) =>
    rowParts(record).ports.some(
      ({ PrivatePort, PublicPort = 0, Type }) =>
        isWithin(PublicPort, Type, published) || isWithin(PrivatePort, Type, exposed),
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

function isWithin(port: number, type: string, ranges: readonly PortRange[]): boolean {
  return ranges.some(({ first, last, protocol }) => type === protocol && port >= first && port <= last);
}
