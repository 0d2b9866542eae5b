// Why a container is on its node, kept on the container itself, so that it can be told after the manager was
// replaced: a label holds the decision as JSON, in the words in which inspect shows it.
import { isWireObject } from '../../docker/go-member.ts';
import type { WireObject } from '../../docker/types.ts';
import type { Decision } from '../../scheduler/contracts.ts';
import { placementLabel } from '../swarm-labels.ts';

/** A node that was tried first, and what it said. */
export interface FailedAttempt {
  readonly node: string;
  readonly error: string;
}

const longestErrorChars = 300;

export function writePlacement(decision: Decision, attempts: readonly FailedAttempt[]): string {
  const { node, strategy, candidates, nodes, score, givenUp } = decision;
  return JSON.stringify({
    Node: node,
    Strategy: strategy,
    ...(candidates !== undefined && { Candidates: candidates }),
    Nodes: nodes,
    ...(score && { Score: total(score.parts), Parts: rounded(score.parts), Ties: score.ties }),
    ...(givenUp.length > 0 && { GivenUp: givenUp }),
    ...(attempts.length > 0 && {
      Attempts: attempts.map(({ node: Node, error }) => ({ Node, Error: error.slice(0, longestErrorChars) })),
    }),
  });
}

/** undefined for a container that was not placed by a manager. */
export function readPlacement(labels: Readonly<Record<string, string>> | null | undefined): WireObject | undefined {
  const text = labels?.[placementLabel];
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isWireObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Of the rounded parts, so that they add up to it. */
function total(parts: Readonly<Record<string, number>>): number {
  return round(Object.values(rounded(parts)).reduce((sum, part) => sum + part, 0));
}

function rounded(parts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, round(part)]));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
