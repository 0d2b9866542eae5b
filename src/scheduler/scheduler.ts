// Chooses a node: hard requirements leave some out, soft ones are kept as long as a node is left, the strategy
// orders the rest. One call is one decision; nothing is remembered but the state of the random source.
import { compareText } from '../common/compare-text.ts';
import type { Filter, Node, Placement, PlacementRequest, Requirement, Strategy } from './contracts.ts';
import { namesOf } from './filters/constraint.ts';
import { openStrategy, type StrategyOptions } from './strategies/index.ts';
import { seededRandom } from './strategies/random.ts';

export interface SchedulerOptions extends StrategyOptions {
  readonly filters: readonly Filter[];
  /** For containers that do not choose their own. */
  readonly strategy: Strategy;
}

export class Scheduler {
  readonly filters: readonly Filter[];
  readonly strategy: Strategy;
  /** For the strategies that containers choose themselves. */
  readonly #strategyOptions: StrategyOptions;

  constructor({ filters, strategy, ...options }: SchedulerOptions) {
    this.filters = filters;
    this.strategy = strategy;
    const random = options.random ?? (options.seed === undefined ? undefined : seededRandom(options.seed));
    this.#strategyOptions = { ...options, random };
  }

  /** `nodes` is every node of the cluster, the ones that take no containers too; their order does not matter. */
  place(request: PlacementRequest, nodes: readonly Node[]): Placement {
    const requirements = [
      ...pinRequirements(request),
      ...this.filters.flatMap((filter) => filter.requirements(request, nodes)),
    ];
    const hard = requirements.filter(({ soft }) => !soft);
    const fitting = hard.reduce((left, requirement) => left.filter((node) => requirement.accepts(node)), nodes);
    if (fitting.length === 0) return { kind: 'refused', explanation: explainRefusal(nodes, hard) };
    const { left, givenUp } = preferred(fitting, requirements);
    return this.#ranked(request, left, nodes, givenUp);
  }

  #ranked(
    request: PlacementRequest,
    candidates: readonly Node[],
    nodes: readonly Node[],
    givenUp: readonly Requirement[],
  ): Placement {
    const strategy = this.#strategyFor(request);
    const ranked = strategy.rank(request, candidates, nodes);
    return {
      kind: 'placed',
      nodes: ranked,
      explanation: explainChoice(request, strategy, ranked, {
        candidates: candidates.length,
        nodes: nodes.length,
        givenUp,
      }),
    };
  }

  #strategyFor({ strategy }: PlacementRequest): Strategy {
    if (strategy === undefined || strategy === this.strategy.name) return this.strategy;
    return openStrategy(strategy, this.#strategyOptions);
  }
}

function pinRequirements({ pinnedNodes }: PlacementRequest): readonly Requirement[] {
  if (pinnedNodes === undefined) return [];
  const pinned = new Set(pinnedNodes.nodes);
  const accepts = (node: Node): boolean => namesOf(node).some((name) => pinned.has(name));
  return [{ description: pinnedNodes.reason, soft: false, accepts }];
}

/** Keeps each soft rule, the most important first, unless no node would be left: one that cannot be met costs no other. */
function preferred(
  fitting: readonly Node[],
  requirements: readonly Requirement[],
): { left: readonly Node[]; givenUp: readonly Requirement[] } {
  let left = fitting;
  const givenUp: Requirement[] = [];
  for (const requirement of requirements) {
    if (!requirement.soft) continue;
    const accepted = left.filter((node) => requirement.accepts(node));
    if (accepted.length === 0) givenUp.push(requirement);
    else left = accepted;
  }
  return { left, givenUp };
}

function explainChoice(
  request: PlacementRequest,
  strategy: Strategy,
  ranked: readonly Node[],
  { candidates, nodes, givenUp }: { candidates: number; nodes: number; givenUp: readonly Requirement[] },
): readonly string[] {
  const [best] = ranked;
  const score = best === undefined ? undefined : strategy.explain?.(request, best);
  return [
    `strategy ${strategy.name}: best of ${candidates} candidates among ${nodes} nodes`,
    ...(best === undefined || score === undefined ? [] : [`${best.name}: ${score}`]),
    ...givenUp.map(({ description }) => `given up: ${description}`),
  ];
}

/** The first line and the conditions in brackets are worded as docker/classicswarm did: programs look for them. */
function explainRefusal(nodes: readonly Node[], hard: readonly Requirement[]): string {
  if (nodes.length === 0) return 'no node can take the container: the cluster has no nodes';
  const refusing = hard.filter((requirement) => !nodes.every((node) => requirement.accepts(node)));
  const sorted = nodes.map((node) => node).sort((a, b) => compareText(a.name, b.name));
  return [
    isOnlyForWantOfResources(nodes, hard)
      ? 'no resources available to schedule container'
      : 'Unable to find a node that satisfies the following conditions',
    ...new Set(refusing.map(({ description }) => `[${description}]`)),
    ...sorted.map((node) => `  ${node.name}: ${firstReason(node, hard)}`),
  ].join('\n');
}

function isOnlyForWantOfResources(nodes: readonly Node[], hard: readonly Requirement[]): boolean {
  const others = hard.filter(({ isResource }) => isResource !== true);
  return nodes.some((node) => others.every((requirement) => requirement.accepts(node)));
}

function firstReason(node: Node, hard: readonly Requirement[]): string {
  const failing = hard.find((requirement) => !requirement.accepts(node));
  if (failing === undefined) return 'accepted';
  return failing.reason?.(node) ?? failing.description;
}
