// Chooses a node: hard requirements leave some out, soft ones are kept as long as a node is left, the strategy
// orders the rest. One call is one decision; nothing is remembered but the state of the random source. A strategy whose
// order is kept goes the other way round, to the same node: the best ones are taken first and looked at one by one.
import type { Filter, Node, Placement, PlacementRequest, Requirement, Strategy } from './contracts.ts';
import { explainRefusal, type Refusal } from './explain.ts';
import { namesOf } from './filters/constraint.ts';
import type { KeptOrders } from './kept-orders.ts';
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

  /**
   * `nodes` is every node of the cluster, the ones that take no containers too; their order does not matter. With
   * `orders`, which must be told of every change of them, only as many are looked at as it takes to find the best.
   */
  place(request: PlacementRequest, nodes: readonly Node[], orders?: KeptOrders): Placement {
    const requirements = this.requirements(request, nodes);
    const strategy = this.strategyFor(request);
    const order = orders === undefined ? undefined : strategy.order?.(request);
    const choice =
      orders === undefined || order === undefined
        ? chooseAmongAll(request, strategy, nodes, requirements)
        : chooseFirst(orders.bestFirst(order, nodes, requirements), requirements);
    const [best] = choice.ranked;
    if (best === undefined) return refused(nodes, requirements);
    return {
      kind: 'placed',
      nodes: choice.ranked,
      decision: {
        node: best.name,
        strategy: strategy.name,
        candidates: choice.candidates,
        nodes: nodes.length,
        score: strategy.score?.(request, best),
        givenUp: choice.givenUp.map(({ description }) => description),
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

interface Choice {
  /** Best first; empty when no node meets every hard rule. */
  readonly ranked: readonly Node[];
  /** undefined: not counted. */
  readonly candidates: number | undefined;
  readonly givenUp: readonly Requirement[];
}

/** Keeps each soft rule, the most important first, unless no node would be left: one that cannot be met costs no other. */
function chooseAmongAll(
  request: PlacementRequest,
  strategy: Strategy,
  nodes: readonly Node[],
  requirements: readonly Requirement[],
): Choice {
  let left = hardOnes(requirements).reduce((fitting, rule) => fitting.filter((node) => rule.accepts(node)), nodes);
  if (left.length === 0) return nothing;
  const givenUp: Requirement[] = [];
  for (const requirement of softOnes(requirements)) {
    const accepted = left.filter((node) => requirement.accepts(node));
    if (accepted.length === 0) givenUp.push(requirement);
    else left = accepted;
  }
  return { ranked: strategy.rank(request, left, nodes), candidates: left.length, givenUp };
}

/**
 * The same node, found from the other end. Giving up rules one by one leaves the nodes that meet the most important
 * rule in which two differ: so the first node of `bestFirst` that meets all rules is the one, and if there is none, the
 * first of those that are left.
 */
function chooseFirst(bestFirst: Iterable<Node>, requirements: readonly Requirement[]): Choice {
  const hard = hardOnes(requirements);
  const soft = softOnes(requirements);
  const mostMet = soft.map(({ isHopeless }) => isHopeless !== true);
  let best: { readonly node: Node; readonly isMet: readonly boolean[] } | undefined;
  for (const node of bestFirst) {
    const isMet = soft.map((requirement) => requirement.accepts(node));
    if (best !== undefined && !meetsMore(isMet, best.isMet)) continue;
    if (!hard.every((requirement) => requirement.accepts(node))) continue;
    best = { node, isMet };
    if (!meetsMore(mostMet, isMet)) break;
  }
  if (best === undefined) return nothing;
  const { node, isMet } = best;
  return { ranked: [node], candidates: undefined, givenUp: soft.filter((_, index) => isMet[index] === false) };
}

/** The most important rule comes first and counts for more than all after it. */
function meetsMore(isMet: readonly boolean[], others: readonly boolean[]): boolean {
  const different = isMet.findIndex((met, index) => met !== others[index]);
  return isMet[different] === true;
}

const nothing: Choice = { ranked: [], candidates: 0, givenUp: [] };

function hardOnes(requirements: readonly Requirement[]): readonly Requirement[] {
  return requirements.filter(({ soft }) => !soft);
}

function softOnes(requirements: readonly Requirement[]): readonly Requirement[] {
  return requirements.filter(({ soft }) => soft);
}

/** The reasons of every node are worked out for those who ask: a create that may do with less tries again instead. */
function refused(nodes: readonly Node[], requirements: readonly Requirement[]): Placement {
  let told: Refusal | undefined;
  const tell = (): Refusal => (told ??= explainRefusal(nodes, hardOnes(requirements)));
  return {
    kind: 'refused',
    get explanation() {
      return tell().explanation;
    },
    get conditions() {
      return tell().conditions;
    },
  };
}
