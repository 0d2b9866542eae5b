// The table of nodes in `info`: rows of SystemStatus in the layout of docker/classicswarm, which every docker
// CLI still prints.
import { compareText } from '../../common/compare-text.ts';
import { formatBytes } from '../../docker/units.ts';
import type { SwarmState } from '../../cluster/locations.ts';
import { dataAgeSeconds, type NodeFacts } from './node-facts.ts';

export type StatusRow = readonly [string, string];

/** The rows as JSON texts without the brackets around them, to be put together: the table is most of the answer. */
export function nodeTableJson(nodes: readonly NodeFacts[], now: number): readonly Buffer[] {
  const head = Buffer.from(JSON.stringify(['Nodes', String(nodes.length)]));
  return [head, ...nodes.map((node) => nodeRowsJson(node, now))];
}

const madeRows = new WeakMap<NodeFacts, Buffer>();

/** With a comma in front. The rows of a node that does not answer tell how old they are, so they are made anew for each answer. */
function nodeRowsJson(node: NodeFacts, now: number): Buffer {
  const known = madeRows.get(node);
  if (known !== undefined) return known;
  const text = Buffer.from(`,${JSON.stringify(nodeRows(node, now)).slice(1, -1)}`);
  if (node.isHealthy) madeRows.set(node, text);
  return text;
}

function nodeRows(node: NodeFacts, now: number): StatusRow[] {
  const { running, paused, stopped } = node.containers;
  const total = running + paused + stopped;
  const availability = node.settings?.availability ?? 'active';
  return [
    [` ${node.name}`, node.address],
    ['  └ ID', node.id],
    ['  └ Status', node.status],
    ...(availability === 'active' ? [] : [['  └ Availability', availability] as const]),
    ['  └ Containers', `${total} (${running} Running, ${paused} Paused, ${stopped} Stopped)`],
    ['  └ Reserved CPUs', `${cpus(node.reservedNanoCpus)} / ${cpus(node.totalNanoCpus)}`],
    ['  └ Reserved Memory', `${memory(node.reservedMemoryBytes)} / ${memory(node.totalMemoryBytes)}`],
    ['  └ Labels', labelList(node.labels)],
    ...(node.error === undefined ? [] : [['  └ Error', node.error] as const]),
    ['  └ UpdatedAt', node.updatedAt?.toISOString() ?? 'never'],
    ['  └ DataAge', node.updatedAt === undefined ? 'unknown' : `${dataAgeSeconds(node, now)}s`],
    ['  └ ServerVersion', node.serverVersion],
    ...(node.swarm === undefined ? [] : [['  └ Swarm', swarmText(node.swarm)] as const]),
  ];
}

function swarmText({ role, note }: SwarmState): string {
  return note === undefined ? role : `${role}: ${note}`;
}

/** Whole cores as whole numbers, else with at most three decimals. */
function cpus(nanoCpus: number): string {
  return String(Math.round(nanoCpus / 1e6) / 1000);
}

/** With a blank before the unit, as classicswarm's table has it: programs read it. */
function memory(bytes: number): string {
  return formatBytes(bytes).replace(/(?=[A-Za-z])/, ' ');
}

function labelList(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
