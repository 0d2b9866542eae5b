// From a create body to what the scheduler needs to know of it. The body is only read; `withoutExpressions`
// makes the one that engines may see.
import { badRequest } from '../common/errors.ts';
import { createReferences } from '../docker/create-references.ts';
import { goMember, numberMember, textMapMember } from '../docker/go-member.ts';
import { minimumApiVersion } from '../docker/translation/translate-request.ts';
import type { CreateBody } from '../docker/types.ts';
import type { PlacementRequest } from './contracts.ts';
import { parseExpression, type Expression } from './expression.ts';
import { resourceDemands } from './node-resources.ts';
import { MatchTime } from './regular-expression.ts';
import { parsePolicy } from './reschedule-policy.ts';
import { requestedPorts } from './requested-ports.ts';
import { memoryDemandBytes, nanoCpuDemand, type CpuMode } from './resource-demand.ts';
import { rulesOf, type RuleKind, type Rules } from './rules.ts';
import { isStrategyName, strategyNames } from './strategies/index.ts';

export { withoutExpressions } from './rules.ts';

export interface RequestOptions {
  readonly name?: string | undefined;
  /** `os[/arch[/variant]]` */
  readonly platform?: string | undefined;
  /** `engine` by default. */
  readonly cpuMode?: CpuMode | undefined;
}

/** Each is asked of each node. A whitelist or an alternative names many nodes in one. */
const mostExpressions = 256;

/** Throws ApiError 400 for a rule that cannot be understood, naming the position and what was expected. */
export function placementRequest(body: CreateBody, options: RequestOptions = {}): PlacementRequest {
  const rules = rulesOf(body);
  parsePolicy(rules.reschedule, rules.data);
  const references = createReferences(body);
  const host = goMember(body, 'HostConfig');
  const labels = textMapMember(body, 'Labels');
  return {
    image: references.image,
    name: options.name,
    labels,
    ...parsedRules(rules),
    strategy: strategyOf(rules.strategy),
    ...requestedPorts(body),
    nanoCpus: nanoCpusOf(host, options.cpuMode ?? 'engine'),
    memoryBytes: memoryDemandBytes({
      memoryBytes: numberMember(host, 'Memory'),
      memoryReservationBytes: numberMember(host, 'MemoryReservation'),
    }),
    dependencies: references.neighbours,
    volumes: references.volumes,
    networks: references.networks,
    platform: options.platform === '' ? undefined : options.platform,
    minimumApiVersion: minimumApiVersion(body),
    deviceRequests: resourceDemands(host),
    replaces: replacedContainer(labels, options.name),
  };
}

function parsedRules(
  rules: Rules,
): Pick<PlacementRequest, 'constraints' | 'affinities' | 'whitelists' | 'tolerations'> {
  const count = rules.constraint.length + rules.affinity.length + rules.whitelist.length + rules.toleration.length;
  if (count > mostExpressions) throw badRequest(`too many rules: ${count}, expected at most ${mostExpressions}`);
  const time = new MatchTime();
  const parse = (kind: RuleKind): readonly Expression[] => rules[kind].map((text) => parseExpression(kind, text, time));
  return {
    constraints: parse('constraint'),
    affinities: parse('affinity'),
    whitelists: parse('whitelist'),
    tolerations: parse('toleration'),
  };
}

/** The last one written holds, as with environment variables. */
function strategyOf(names: readonly string[]): string | undefined {
  const name = names.at(-1);
  if (name === undefined || isStrategyName(name)) return name;
  throw badRequest(`invalid strategy "${name}": expected one of ${strategyNames.join(', ')}`);
}

function nanoCpusOf(host: unknown, mode: CpuMode): number {
  const limits = {
    nanoCpus: numberMember(host, 'NanoCpus'),
    cpuQuota: numberMember(host, 'CpuQuota'),
    cpuPeriod: numberMember(host, 'CpuPeriod'),
  };
  const demand = nanoCpuDemand(limits);
  return demand === 0 && mode === 'classic' ? numberMember(host, 'CpuShares') * 1e9 : demand;
}

/**
 * Compose creates the new container of a service beside the old one, which it stops only then: what the old one
 * holds is free for the new one. It says so with a name that begins with the old one's short id, and with a label that
 * holds, depending on the version of Compose, the id or merely "SERVICE-NUMBER".
 */
function replacedContainer(labels: Readonly<Record<string, string>>, name: string | undefined): string | undefined {
  const named = /^\/?([0-9a-f]{12})_/.exec(name ?? '')?.[1];
  const labelled = labels['com.docker.compose.replace'];
  return named ?? (labelled === '' ? undefined : labelled);
}
