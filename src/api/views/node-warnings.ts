// What an operator should know of the nodes: which do not answer, which report the same identity, and the
// engines' own warnings, each once however many nodes give it.
import type { IdentityConflict } from '../../cluster/locations.ts';
import type { NodeFacts } from './node-facts.ts';

/** More names than this are counted instead of listed. */
const maxNames = 5;

export function nodeWarnings(nodes: readonly NodeFacts[], conflicts: readonly IdentityConflict[]): string[] {
  return [...outages(nodes), ...swarmTroubles(nodes), ...conflicts.map(conflictWarning), ...engineWarnings(nodes)];
}

function swarmTroubles(nodes: readonly NodeFacts[]): string[] {
  return nodes.flatMap(({ name, swarm }) =>
    swarm?.note === undefined ? [] : [`WARNING: node ${name} is not in the swarm of the others: ${swarm.note}`],
  );
}

function outages(nodes: readonly NodeFacts[]): string[] {
  return nodes
    .filter(({ status }) => status !== 'Healthy')
    .map(
      ({ status, name, address, error }) =>
        `WARNING: node ${name} (${address}) is ${status.toLowerCase()}${error === undefined ? '' : `: ${error}`}`,
    );
}

function conflictWarning({ kind, value, addresses }: IdentityConflict): string {
  const what = kind === 'id' ? 'engine id' : 'name';
  return `WARNING: ${nameList(addresses)} report the same ${what} ${value}: were these machines cloned?`;
}

function engineWarnings(nodes: readonly NodeFacts[]): string[] {
  const namesByText = new Map<string, string[]>();
  for (const { info, name } of nodes) {
    for (const text of info?.Warnings ?? []) {
      const names = namesByText.get(text);
      if (names === undefined) namesByText.set(text, [name]);
      else names.push(name);
    }
  }
  return [...namesByText].map(([text, names]) =>
    names.length === nodes.length ? text : `${text} (${nameList(names)})`,
  );
}

function nameList(names: readonly string[]): string {
  const listed = names.slice(0, maxNames).join(', ');
  return names.length <= maxNames ? listed : `${listed} and ${names.length - maxNames} more`;
}
