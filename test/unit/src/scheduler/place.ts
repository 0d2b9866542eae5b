// Placing by create body in the scheduler's tests.
import type { CreateBody } from '../../../../src/docker/types.ts';
import type { Node } from '../../../../src/scheduler/contracts.ts';
import { openFilters } from '../../../../src/scheduler/filters/index.ts';
import { placementRequest, type RequestOptions } from '../../../../src/scheduler/request.ts';
import { Scheduler } from '../../../../src/scheduler/scheduler.ts';
import { openStrategy, type StrategyOptions } from '../../../../src/scheduler/strategies/index.ts';
import type { TestNode } from './a-node.ts';

/** Without overcommit, so that a test's numbers are what they say. */
const exact = { cpu: 0, memory: 0 };

export function aScheduler(strategy = 'spread', options: StrategyOptions = {}): Scheduler {
  const all = { overcommit: exact, ...options };
  return new Scheduler({ filters: openFilters([], all), strategy: openStrategy(strategy, all), ...all });
}

/** The names of the nodes that would take the container, best first; empty when refused. */
export function namesFor(body: CreateBody, nodes: readonly Node[], options: RequestOptions = {}): readonly string[] {
  const placement = aScheduler().place(placementRequest(body, options), nodes);
  return placement.kind === 'placed' ? placement.nodes.map(({ name }) => name) : [];
}

/** Why it is refused; '' when it is not. */
export function refusalOf(body: CreateBody, nodes: readonly Node[], options: RequestOptions = {}): string {
  const placement = aScheduler().place(placementRequest(body, options), nodes);
  return placement.kind === 'refused' ? placement.explanation : '';
}

/** Places the container and lets it run there; the node's name, or undefined when refused. */
export function run(
  scheduler: Scheduler,
  body: CreateBody,
  nodes: readonly TestNode[],
  options: RequestOptions = {},
): string | undefined {
  const request = placementRequest(body, options);
  const placement = scheduler.place(request, nodes);
  if (placement.kind === 'refused') return undefined;
  const name = placement.nodes[0]?.name;
  nodes.find((node) => node.name === name)?.take(request);
  return name;
}

/** A body with rules in its environment. */
export function withRules(...rules: readonly string[]): CreateBody {
  return { Image: 'busybox', Env: rules };
}
