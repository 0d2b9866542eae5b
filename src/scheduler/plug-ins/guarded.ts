// Filters and strategies of users, made safe: every answer is checked, and a filter looks at all nodes in one go, so
// that its time can be measured and limited as a whole.
import type { Filter, Node, Requirement, Score, Strategy } from '../contracts.ts';
import type { PlugInWatch } from './watch.ts';

export function guardedFilter(filter: Filter, watch: PlugInWatch): Filter {
  return {
    name: filter.name,
    requirements: (request, nodes) =>
      watch.run(() => {
        const made: unknown = filter.requirements(request, [...nodes]);
        return listOf('requirements()', made).map((item) => guardedRequirement(requirementOf(item), nodes, watch));
      }),
  };
}

export function guardedStrategy(strategy: Strategy, watch: PlugInWatch): Strategy {
  const guarded: Strategy = {
    name: strategy.name,
    rank: (request, nodes, everyNode) =>
      watch.run(() => rankedNodes(strategy.rank(request, [...nodes], [...everyNode]), nodes)),
  };
  if (strategy.score === undefined) return guarded;
  return { ...guarded, score: (request, node) => watch.run(() => scoreOf(strategy.score?.(request, node))) };
}

function guardedRequirement(requirement: Requirement, nodes: readonly Node[], watch: PlugInWatch): Requirement {
  const accepted = new Set(nodes.filter((node) => verdictOf(requirement.accepts(node))));
  const { description, soft, isResource } = requirement;
  let reasons: ReadonlyMap<Node, string> | undefined;
  return {
    description,
    soft,
    isResource: isResource === true,
    accepts: (node) => accepted.has(node),
    reason: (node) => {
      const refused = nodes.filter((other) => !accepted.has(other));
      reasons ??= watch.run(() => new Map(refused.map((other) => [other, reasonOf(requirement, other)])));
      return reasons.get(node) ?? description;
    },
  };
}

function listOf(what: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${what} must return an array at once, not ${nameOf(value)}`);
}

function requirementOf(item: unknown): Requirement {
  if (isRequirement(item)) return item;
  throw new TypeError(
    `requirements() must return objects with "description" (text), "soft" (true or false) and "accepts" (a function), not ${nameOf(item)}`,
  );
}

function isRequirement(item: unknown): item is Requirement {
  if (typeof item !== 'object' || item === null) return false;
  const { description, soft, accepts, reason } = item as Readonly<Record<string, unknown>>;
  if (typeof description !== 'string' || typeof soft !== 'boolean' || typeof accepts !== 'function') return false;
  return reason === undefined || typeof reason === 'function';
}

function verdictOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`accepts() must return true or false, not ${nameOf(value)}`);
}

function reasonOf(requirement: Requirement, node: Node): string {
  const reason: unknown = requirement.reason?.(node);
  return typeof reason === 'string' ? reason : requirement.description;
}

function rankedNodes(value: unknown, candidates: readonly Node[]): readonly Node[] {
  const known = new Map<unknown, Node>(candidates.map((node) => [node, node]));
  const ranked = listOf('rank()', value).map((item) => known.get(item));
  if (ranked.length > 0 && ranked.every((node) => node !== undefined)) return ranked;
  throw new TypeError('rank() must return at least one of the nodes that it was given, and no others');
}

function scoreOf(value: unknown): Score {
  const { parts, ties } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Score>;
  if (typeof parts === 'object' && Object.values(parts).every(Number.isFinite)) return { parts, ties: ties ?? {} };
  throw new TypeError('score() must return an object with "parts", an object of numbers');
}

function nameOf(value: unknown): string {
  if (value instanceof Promise) return 'a promise';
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
