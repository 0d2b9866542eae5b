// Chooses a node: hard requirements leave some out, soft ones are kept as long as a node is left, the strategy
// orders the rest. One call is one decision; nothing is remembered but the state of the random source.
import type { Filter, Node, Placement, PlacementRequest, Requirement, Strategy } from './contracts.ts';
import { explainRefusal } from './explain.ts';
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
    const requirements = this.requirements(request, nodes);
    const hard = requirements.filter(({ soft }) => !soft);
    const fitting = hard.reduce((left, requirement) => left.filter((node) => requirement.accepts(node)), nodes);
    if (fitting.length === 0) return { kind: 'refused', ...explainRefusal(nodes, hard) };
    const { left, givenUp } = preferred(fitting, requirements);
    return this.#ranked(request, left, nodes, givenUp);
  }

  #ranked(
    request: PlacementRequest,
    candidates: readonly Node[],
    nodes: readonly Node[],
    givenUp: readonly Requirement[],
  ): Placement {
    const strategy = this.strategyFor(request);
    const ranked = strategy.rank(request, candidates, nodes);
    const [best] = ranked;
    return {
      kind: 'placed',
      nodes: ranked,
      decision: {
        node: best?.name ?? '',
        strategy: strategy.name,
        candidates: candidates.length,
        nodes: nodes.length,
        score: best === undefined ? undefined : strategy.score?.(request, best),
        givenUp: givenUp.map(({ description }) => description),
      },
    };
  }

  /** Every condition of the request, the most important first. */
  requirements(request: PlacementRequest, nodes: readonly Node[]): readonly Requirement[] {
    return [...pinRequirements(request), ...this.filters.flatMap((filter) => filter.requirements(request, nodes))];
  }

  strategyFor({ strategy }: PlacementRequest): Strategy {
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
