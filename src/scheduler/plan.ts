// What would become of a container if it were created now: the decision, and each node with its score or with the
// reason why it is out of the question. Made for people; nothing is reserved.
import type { Decision, Node, PlacementRequest, Requirement } from './contracts.ts';
import { byName, decisionLines, refusalOf, scoreText } from './explain.ts';
import type { Scheduler } from './scheduler.ts';

/** `request` is the one that led to `decision`, on the same nodes. */
export function planLines(
  scheduler: Scheduler,
  request: PlacementRequest,
  decision: Decision,
  nodes: readonly Node[],
): readonly string[] {
  const requirements = scheduler.requirements(request, nodes);
  const hard = requirements.filter(({ soft }) => !soft);
  const kept = requirements.filter(({ soft, description }) => soft && !decision.givenUp.includes(description));
  const strategy = scheduler.strategyFor(request);
  const standing = (node: Node): string => {
    const score = strategy.score?.(request, node);
    return score === undefined ? 'possible' : scoreText(score);
  };
  return [
    ...decisionLines(decision),
    ...byName(nodes).map((node) => {
      if (node.name === decision.node) return `  ${node.name}: chosen; ${standing(node)}`;
      return `  ${node.name}: ${refusalOf(node, hard) ?? passedOver(node, kept) ?? standing(node)}`;
    }),
  ];
}

function passedOver(node: Node, kept: readonly Requirement[]): string | undefined {
  const failing = kept.find((requirement) => !requirement.accepts(node));
  return failing && `others are preferred by ${failing.description}`;
}
