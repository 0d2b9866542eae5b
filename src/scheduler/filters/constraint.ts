// Constraints on the node itself: its engine's labels and the facts node, storagedriver, kernelversion,
// operatingsystem, ostype, arch and version. A label that is missing compares as the empty text.
import type { Filter, Node, Requirement } from '../contracts.ts';
import { holdsForAny, type Expression } from '../expression.ts';

export const constraintFilter: Filter = {
  name: 'constraint',
  requirements: ({ constraints }) => constraints.map(constraint),
};

/** The values that `key` has on `node`; several only for the key node. */
function valuesOf(node: Node, key: string): readonly string[] {
  if (key === 'node') return namesOf(node);
  return [node.facts[key] ?? node.labels[key] ?? ''];
}

/** The name and the id, the latter also without the address that tells cloned engines apart. */
export function namesOf({ id, name }: Node): readonly string[] {
  const bar = id.indexOf('|');
  return bar === -1 ? [id, name] : [id, name, id.slice(0, bar)];
}

function constraint(expression: Expression): Requirement {
  const { key, text } = expression;
  return {
    description: text,
    soft: expression.isSoft,
    key: `constraint ${text}`,
    accepts: (node) => holdsForAny(expression, valuesOf(node, key)),
    reason: (node) => `constraint ${text} does not hold (${actualText(node, key)})`,
  };
}

function actualText(node: Node, key: string): string {
  if (key === 'node') return `node is ${node.name}`;
  const value = node.facts[key] ?? node.labels[key];
  return value === undefined ? `it has no ${key}` : `${key} is ${value === '' ? 'empty' : value}`;
}
