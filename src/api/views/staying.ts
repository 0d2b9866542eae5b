// What a node that is being emptied keeps, in one sentence.
import type { Cluster } from '../../cluster/cluster.ts';
import type { NodeFacts } from './node-facts.ts';

/** More containers than this are counted instead of listed. */
const maxListed = 5;

/** undefined where nothing stays, and for nodes that nobody empties. */
export function stayingText(cluster: Cluster, { id, isHealthy, settings }: NodeFacts): string | undefined {
  if (isHealthy && settings?.availability !== 'drain') return undefined;
  const engine = cluster.members.engineNamed(id);
  const staying = engine === undefined ? [] : cluster.rescheduler.staysOn(engine);
  if (staying.length === 0) return undefined;
  const listed = staying.slice(0, maxListed).map(({ name, reason }) => `${name} (${firstLine(reason)})`);
  const rest = staying.length > maxListed ? ` and ${staying.length - maxListed} more` : '';
  return `it keeps ${listed.join(', ')}${rest}`;
}

/** Refusals tell of every node, each in its line. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
