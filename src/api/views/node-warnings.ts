// What an operator should know of the nodes: which do not answer, which report the same identity, and the
// engines' own warnings, each once however many nodes give it.
import type { IdentityConflict } from '../../cluster/locations.ts';
import { dataAgeSeconds, type NodeFacts } from './node-facts.ts';
import { madeOncePerList } from './same-list.ts';

/** More names than this are counted instead of listed. */
const maxNames = 5;

export interface WarningFacts {
  readonly nodes: readonly NodeFacts[];
  readonly conflicts: readonly IdentityConflict[];
  readonly now: number;
}

export function nodeWarnings({ nodes, conflicts, now }: WarningFacts): string[] {
  return [...outages(nodes, now), ...swarmTroubles(nodes), ...conflicts.map(conflictWarning), ...engineWarnings(nodes)];
}

function swarmTroubles(nodes: readonly NodeFacts[]): string[] {
  return nodes.flatMap(({ name, swarm }) =>
    swarm?.note === undefined ? [] : [`WARNING: node ${name} is not in the swarm of the others: ${swarm.note}`],
  );
}

function outages(nodes: readonly NodeFacts[], now: number): string[] {
  return nodes.flatMap((node) => {
    const { status, name, address, error, isVouchedFor, updatedAt } = node;
    if (status === 'Healthy')
      return isVouchedFor
        ? []
        : [`WARNING: node ${name} (${address}) answers, but its agent is silent or does not reach it`];
    const why = error === undefined ? '' : `: ${error}`;
    const age = updatedAt === undefined ? '' : ` (what is shown of it is ${dataAgeSeconds(node, now)}s old)`;
    return [`WARNING: node ${name} (${address}) is ${status.toLowerCase()}${why}${age}`];
  });
}

function conflictWarning({ kind, value, addresses }: IdentityConflict): string {
  const what = kind === 'id' ? 'id' : 'name';
  return `WARNING: ${nameList(addresses)} report the same ${what} ${value}: were these machines cloned?`;
}

/** Engines that warn of their own addresses say the same, each with another address in it. */
const engineWarnings = madeOncePerList((nodes: readonly NodeFacts[]): readonly string[] => {
  const byMeaning = new Map<string, { readonly texts: Set<string>; readonly names: string[] }>();
  for (const { info, name, address } of nodes) {
    for (const text of info?.Warnings ?? []) {
      const meaning = text.replaceAll(address, '<address of the node>');
      const known = byMeaning.get(meaning) ?? { texts: new Set(), names: [] };
      byMeaning.set(meaning, known);
      known.texts.add(text);
      known.names.push(name);
    }
  }
  return [...byMeaning].map(([meaning, { texts, names }]) => {
    const [only = meaning, ...others] = texts;
    const text = others.length === 0 ? only : meaning;
    return others.length === 0 && names.length === nodes.length ? text : `${text} (${nameList(names)})`;
  });
});

function nameList(names: readonly string[]): string {
  const listed = names.slice(0, maxNames).join(', ');
  return names.length <= maxNames ? listed : `${listed} and ${names.length - maxNames} more`;
}
