// Judges a chaos run by what was seen of it. Pure: each rule takes what was seen and names what broke it.
import type {
  Belief,
  ClientAnswer,
  FinalState,
  History,
  ManagerView,
  SeenContainer,
  SeenVolume,
  Term,
  Write,
} from './history.ts';

export interface Violation {
  readonly rule: string;
  readonly text: string;
}

/** Of the end, which may be looked at again and again until all has settled. */
export function judgeFinalState(
  history: Pick<History, 'beliefs' | 'everSeen' | 'everVolumes'>,
  final: FinalState,
): Violation[] {
  return [
    ...judgeContainers(history.beliefs, final.containers),
    ...judgeDisappearances(history.beliefs, history.everSeen, final.containers),
    ...judgeNames(final.containers),
    ...judgeVolumes(history.everVolumes, final.volumes),
    ...judgeViews(final.containers, final.views),
  ];
}

/** Of what happened, which no later moment makes good. */
export function judgeHistory({ answers, complaints, writes, terms }: History): Violation[] {
  return [
    ...complaints.map(({ rule, text }) => ({ rule, text })),
    ...judgeAnswers(answers),
    ...judgeWriters(terms, writes),
  ];
}

/** Each container that was acknowledged is there once, besides older copies that were put away; none that was removed is. */
function judgeContainers(beliefs: readonly Belief[], containers: readonly SeenContainer[]): Violation[] {
  const byNonce = grouped(containers, ({ nonce }) => nonce);
  return beliefs.flatMap((belief) => {
    const all = byNonce.get(belief.nonce) ?? [];
    const current = all.filter((container) => !isStale(container));
    const shown = all.map(showContainer).join(', ') || 'nothing';
    const wrong = wrongWith(belief, current);
    const running = all.filter(({ isRunning }) => isRunning);
    return [
      ...(wrong === undefined ? [] : [{ rule: wrong, text: `${showBelief(belief)}: there is ${shown}` }]),
      ...(running.length > 1 ? [{ rule: 'two run', text: `${showBelief(belief)}: there is ${shown}` }] : []),
    ];
  });
}

function wrongWith(belief: Belief, current: readonly SeenContainer[]): string | undefined {
  if (current.length > 1) return 'doubled';
  const [only] = current;
  switch (belief.state) {
    case 'created':
      if (only === undefined) return 'lost';
      return belief.names.includes(only.name) ? undefined : 'another name';
    case 'removed':
      return only === undefined ? undefined : 'came back';
    case 'refused':
      return only === undefined ? undefined : 'made though refused';
    case 'perhaps':
    case 'removing':
      return 'never settled';
  }
}

/** Nobody but its client removes a container that was acknowledged; an older copy is kept, too. */
function judgeDisappearances(
  beliefs: readonly Belief[],
  everSeen: readonly SeenContainer[],
  containers: readonly SeenContainer[],
): Violation[] {
  const there = new Set(containers.map(({ node, id }) => `${node} ${id}`));
  const kept = new Map(
    beliefs.filter(({ state }) => state === 'created').map((belief) => [belief.nonce, belief] as const),
  );
  return everSeen.flatMap((container) => {
    const belief = kept.get(container.nonce);
    if (belief === undefined || !belief.ids.has(container.id) || there.has(`${container.node} ${container.id}`))
      return [];
    return [{ rule: 'removed by no client', text: `${showBelief(belief)}: ${showContainer(container)} is gone` }];
  });
}

/** A name means one container, on whatever node. */
function judgeNames(containers: readonly SeenContainer[]): Violation[] {
  return [...grouped(containers, ({ name }) => name)].flatMap(([name, all]) =>
    all.length === 1 ? [] : [{ rule: 'ambiguous name', text: `${name} is ${all.map(showContainer).join(', ')}` }],
  );
}

/** What was there is there still, with what was in it, and on one node. */
function judgeVolumes(ever: readonly SeenVolume[], volumes: readonly SeenVolume[]): Violation[] {
  const now = new Map(volumes.map((volume) => [`${volume.node} ${volume.name}`, volume]));
  const doubled = [...grouped(volumes, ({ name }) => name)].flatMap(([name, all]) =>
    all.length === 1
      ? []
      : [{ rule: 'volume doubled', text: `${name} on ${all.map(({ node }) => node).join(' and ')}` }],
  );
  const missing = ever.flatMap(({ node, name, content }) => {
    const found = now.get(`${node} ${name}`);
    if (found === undefined) return [{ rule: 'volume gone', text: `${name} on ${node}` }];
    if (content === undefined || found.content === content) return [];
    return [{ rule: 'volume changed', text: `${name} on ${node}: ${content} became ${found.content ?? 'nothing'}` }];
  });
  return [...doubled, ...missing];
}

/** Every manager shows what the engines have, and nothing else. */
function judgeViews(containers: readonly SeenContainer[], views: readonly ManagerView[]): Violation[] {
  const truth = new Map(containers.map((container) => [container.id, container]));
  return views.flatMap(({ manager, containers: shown }) => {
    const ids = new Set(shown.map(({ id }) => id));
    return [
      ...shown
        .filter(({ id, name }) => truth.get(id)?.name !== name)
        .map(({ id, name }) => ({ rule: 'wrong view', text: `${manager} shows ${name} ${id.slice(0, 12)}` })),
      ...containers
        .filter(({ id }) => !ids.has(id))
        .map((container) => ({ rule: 'wrong view', text: `${manager} does not show ${showContainer(container)}` })),
    ];
  });
}

/** What an engine answers to these calls when they cannot be done; 503 is the manager's own word for "not now". */
const refusals: Readonly<Record<string, readonly number[]>> = {
  create: [409, 503],
  inspect: [404, 503],
  list: [503],
  start: [404, 409, 503],
  stop: [404, 503],
  exec: [404, 409, 503],
  rename: [404, 409, 503],
  remove: [404, 409, 503],
};

/** A refusal has a status that clients know and says why. */
function judgeAnswers(answers: readonly ClientAnswer[]): Violation[] {
  return answers.flatMap(({ client, operation, manager, status, message }) => {
    if (status === 0 || (status >= 200 && status < 400)) return [];
    const isKnown = refusals[operation]?.includes(status) === true;
    if (isKnown && message !== undefined && message !== '') return [];
    return [
      {
        rule: 'improper answer',
        text: `${client}: ${operation} by ${manager}: ${status} ${message ?? 'without a message'}`,
      },
    ];
  });
}

/** Whoever writes holds the last term that had begun by then. */
function judgeWriters(terms: readonly Term[], writes: readonly Write[]): Violation[] {
  const ordered = [...terms].sort((a, b) => a.startMs - b.startMs);
  return [...writes].flatMap(({ atMs, manager, node, what }) => {
    const holder = ordered.findLast(({ startMs }) => startMs <= atMs);
    if (holder?.manager === manager) return [];
    const held =
      holder === undefined
        ? 'nobody was primary'
        : `${holder.manager} was, of term ${holder.term} for ${atMs - holder.startMs} ms`;
    return [
      { rule: 'two writers', text: `${manager} wrote to ${node} at ${new Date(atMs).toISOString()}: ${what}; ${held}` },
    ];
  });
}

export interface Service {
  readonly client: string;
  readonly answers: number;
  /** Of all calls, how many did what they were to do. */
  readonly availability: number;
  /** Between two that did. */
  readonly longestGapMs: number;
  readonly longestGapAtMs: number;
}

/** What each client got. */
export function measureService(answers: readonly ClientAnswer[]): Service[] {
  return [...grouped(answers, ({ client }) => client)].map(([client, all]) => {
    const served = all.filter(isServed).map(({ sentMs, tookMs }) => sentMs + tookMs);
    const first = Math.min(...all.map(({ sentMs }) => sentMs));
    const last = Math.max(...all.map(({ sentMs, tookMs }) => sentMs + tookMs));
    let longestGapMs = 0;
    let longestGapAtMs = first;
    let since = first;
    for (const atMs of [...served.sort((a, b) => a - b), last]) {
      if (atMs - since > longestGapMs) [longestGapMs, longestGapAtMs] = [atMs - since, since];
      since = atMs;
    }
    return { client, answers: all.length, availability: served.length / all.length, longestGapMs, longestGapAtMs };
  });
}

/** 404 and 409 are answers too: that a name is taken, for instance. */
function isServed({ status }: ClientAnswer): boolean {
  return (status >= 200 && status < 400) || status === 404 || status === 409;
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}

/** As the product calls a copy that another has taken the place of. */
function isStale({ name }: SeenContainer): boolean {
  return /\.stale-node-\d+/.test(name);
}

function showContainer({ node, id, name, isRunning }: SeenContainer): string {
  return `${name} ${id.slice(0, 12)} on ${node}${isRunning ? '' : ' (stopped)'}`;
}

function showBelief({ client, nonce, names, state, mayMove }: Belief): string {
  return `${names.join(' or ')} (${nonce} of ${client}, ${state}${mayMove ? ', may move' : ''})`;
}
