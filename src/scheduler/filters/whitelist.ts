// Whitelists: `node==a|b|c` leaves only the nodes named; with `!=` only the others. The key is not looked at.
import type { Filter, Requirement } from '../contracts.ts';
import type { Expression } from '../expression.ts';
import { namesOf } from './constraint.ts';

export const whitelistFilter: Filter = {
  name: 'whitelist',
  requirements: ({ whitelists }) => whitelists.map(whitelist),
};

function whitelist(expression: Expression): Requirement {
  const listed = new Set(expression.value.split('|'));
  const isWanted = expression.operator !== '!=';
  return {
    description: `whitelist ${expression.text}`,
    soft: expression.isSoft,
    key: `whitelist ${expression.text}`,
    accepts: (node) => namesOf(node).some((name) => listed.has(name)) === isWanted,
    reason: () => `whitelist ${expression.text} leaves it out`,
  };
}
