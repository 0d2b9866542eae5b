// Decisions and refusals in words. Every node of a refusal is named with its first failing reason; the first line
// and the conditions in brackets are worded as docker/classicswarm did, because programs look for them.
import { compareText } from '../common/compare-text.ts';
import type { Decision, Node, Requirement, Score } from './contracts.ts';

/** See `Placement`. */
export interface Refusal {
  readonly explanation: string;
  readonly conditions: readonly string[];
}

export function explainRefusal(nodes: readonly Node[], hard: readonly Requirement[]): Refusal {
  if (nodes.length === 0) {
    return { explanation: 'no node can take the container: the cluster has no nodes', conditions: ['a node'] };
  }
  const refusing = hard.filter((requirement) => !nodes.every((node) => requirement.accepts(node)));
  const conditions = [...new Set(refusing.map(({ description }) => description))];
  const explanation = [
    isOnlyForWantOfResources(nodes, hard)
      ? 'no resources available to schedule container'
      : 'Unable to find a node that satisfies the following conditions',
    ...conditions.map((condition) => `[${condition}]`),
    ...byName(nodes).map((node) => `  ${node.name}: ${refusalOf(node, hard) ?? 'accepted'}`),
  ].join('\n');
  return { explanation, conditions };
}

export function byName(nodes: readonly Node[]): readonly Node[] {
  return nodes.map((node) => node).sort((a, b) => compareText(a.name, b.name));
}

/** The first reason for which `node` is out of the question; undefined when it is not. */
export function refusalOf(node: Node, hard: readonly Requirement[]): string | undefined {
  const failing = hard.find((requirement) => !requirement.accepts(node));
  return failing === undefined ? undefined : (failing.reason?.(node) ?? failing.description);
}

/** One line for the choice and one for each soft rule that could not be met. */
export function decisionLines({ strategy, candidates, nodes, givenUp }: Decision): readonly string[] {
  const counted = candidates === undefined ? 'the candidates' : `${candidates} candidates`;
  return [
    `strategy ${strategy}: best of ${counted} among ${nodes} nodes`,
    ...givenUp.map((description) => `given up: ${description}`),
  ];
}

/** "score 125.0 = cpu 100.0 + memory 25.0; containers 0" */
export function scoreText({ parts, ties }: Score): string {
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const sum = Object.entries(parts).map(([name, part]) => `${name} ${part.toFixed(1)}`);
  return [
    `score ${total.toFixed(1)}${sum.length === 0 ? '' : ` = ${sum.join(' + ')}`}`,
    ...Object.entries(ties).map(([name, value]) => `${name} ${value}`),
  ].join('; ');
}

function isOnlyForWantOfResources(nodes: readonly Node[], hard: readonly Requirement[]): boolean {
  const others = hard.filter(({ isResource }) => isResource !== true);
  return nodes.some((node) => others.every((requirement) => requirement.accepts(node)));
}
