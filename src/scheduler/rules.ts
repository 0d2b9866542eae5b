// The rules a user writes on a container: as environment entries ("constraint:storage==ssd"), which the engine
// must never see, and as labels that hold JSON arrays, in which the manager keeps them once the container exists.
import { badRequest } from '../common/errors.ts';
import { goMember, textListMember, textMapMember, withGoMember } from '../docker/go-member.ts';
import type { CreateBody } from '../docker/types.ts';

const labelOf = {
  constraint: 'com.docker.swarm.constraints',
  affinity: 'com.docker.swarm.affinities',
  whitelist: 'com.docker.swarm.whitelists',
  toleration: 'com.docker.swarm.tolerations',
  reschedule: 'com.docker.swarm.reschedule-policies',
  data: 'com.docker.swarm.data',
  strategy: 'com.docker.swarm.strategies',
  dryrun: 'com.docker.swarm.dryrun',
  wait: 'com.docker.swarm.wait',
} as const;

export type RuleKind = keyof typeof labelOf;

/** The texts of each kind in the order in which they were written, those of labels first. */
export type Rules = Readonly<Record<RuleKind, readonly string[]>>;

const kinds: readonly RuleKind[] = [
  'constraint',
  'affinity',
  'whitelist',
  'toleration',
  'reschedule',
  'data',
  'strategy',
  'dryrun',
  'wait',
];

/** Of these the last one written holds, so their labels may hold the bare text instead of a list. */
const singleKinds: ReadonlySet<RuleKind> = new Set(['reschedule', 'data', 'strategy', 'dryrun', 'wait']);

/** Throws ApiError 400 when a label does not hold a JSON array of texts. */
export function rulesOf(body: CreateBody): Rules {
  return readRules(textMapMember(body, 'Labels'), textListMember(body, 'Env'));
}

/** The same for texts from elsewhere, such as build arguments ("constraint:node": "=node-1" is "constraint:node==node-1"). */
function readRules(labels: Readonly<Record<string, string>>, environment: readonly string[]): Rules {
  return {
    constraint: rulesOfKind('constraint', labels, environment),
    affinity: rulesOfKind('affinity', labels, environment),
    whitelist: rulesOfKind('whitelist', labels, environment),
    toleration: rulesOfKind('toleration', labels, environment),
    reschedule: rulesOfKind('reschedule', labels, environment),
    data: rulesOfKind('data', labels, environment),
    strategy: rulesOfKind('strategy', labels, environment),
    dryrun: rulesOfKind('dryrun', labels, environment),
    wait: rulesOfKind('wait', labels, environment),
  };
}

/** Whether an environment entry or a build argument is a rule, not meant for the container. */
export function isRule(entry: string): boolean {
  return kinds.some((kind) => entry.startsWith(`${kind}:`));
}

/** `body` without the rules of its environment; they are kept in its labels. A body without any comes back as it is. */
export function withoutExpressions(body: CreateBody): CreateBody {
  const environment = textListMember(body, 'Env');
  if (!environment.some(isRule)) return body;
  const labels = textMapMember(body, 'Labels');
  const rules = readRules(labels, environment);
  const kept = kinds.filter((kind) => environment.some((entry) => entry.startsWith(`${kind}:`)));
  const added = Object.fromEntries(kept.map((kind) => [labelOf[kind], JSON.stringify(rules[kind])]));
  const stripped = withGoMember(body, 'Env', keptEntries(goMember(body, 'Env')));
  return withGoMember(stripped, 'Labels', { ...labels, ...added });
}

function keptEntries(environment: unknown): readonly unknown[] {
  const entries: readonly unknown[] = Array.isArray(environment) ? environment : [];
  return entries.filter((entry) => typeof entry !== 'string' || !isRule(entry));
}

function rulesOfKind(
  kind: RuleKind,
  labels: Readonly<Record<string, string>>,
  environment: readonly string[],
): readonly string[] {
  const prefix = `${kind}:`;
  const written = environment.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  const stored = labels[labelOf[kind]];
  if (stored === undefined || stored === '') return written;
  return [...new Set([...parseStored(kind, stored), ...written])];
}

function parseStored(kind: RuleKind, text: string): readonly string[] {
  if (singleKinds.has(kind) && !text.startsWith('[')) return [text];
  const label = labelOf[kind];
  const parsed = parseJson(withoutHistoryEscapes(text));
  const items: readonly unknown[] | undefined = Array.isArray(parsed) ? parsed : undefined;
  if (items?.every((item) => typeof item === 'string')) return items;
  throw badRequest(`invalid label ${label}: expected a JSON array of texts, as in ["storage==ssd"]`);
}

/** Interactive shells keep the backslash of "\\!" in double quotes, where users must write it: JSON knows no such escape. */
function withoutHistoryEscapes(text: string): string {
  return text.replace(/\\[\\!]/g, (escape) => (escape === '\\!' ? '!' : escape));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
