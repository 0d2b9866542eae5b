// Honest partial answers: what a node that does not answer adds to a list is as old as the last word of that node. Such
// an answer says so in a header, and where its schema has room for warnings, there too.
import { ApiError } from '../common/errors.ts';
import { parseGoBool } from '../docker/go-bool.ts';
import type { Engine } from '../engine/engine.ts';
import type { ApiCall } from './api-call.ts';

export interface SilentNode {
  readonly name: string;
  /** "41s"; "unknown" where the node has never spoken. */
  readonly age: string;
}

const header = 'X-Cluster-Partial';
/** A header must stay small, however many nodes there are. */
const maxNodesInHeader = 50;

/**
 * Marks the answer as partial where nodes are silent, or are among `failed`, and names these. Throws 503 instead for a
 * client that asked for whole answers only, by the argument `strict`. To be called before the answer.
 */
export function markPartial(call: ApiCall, failed: readonly Engine[] = []): readonly SilentNode[] {
  const { cluster, query, res } = call;
  const silent = cluster.members.engines
    .filter((engine) => engine.state !== 'healthy' || failed.includes(engine))
    .map((engine) => ({ name: cluster.members.identityOf(engine).name, age: ageOf(engine) }));
  if (silent.length === 0) return silent;
  if (parseGoBool(query.get('strict'))) throw new ApiError(503, `the answer would be partial: ${listOf(silent)}`);
  res.setHeader(header, listOf(silent));
  return silent;
}

function ageOf({ updatedAt }: Engine): string {
  if (updatedAt === undefined) return 'unknown';
  return `${Math.max(0, Math.round((Date.now() - updatedAt.getTime()) / 1000))}s`;
}

/** Names of engines are host names, but nothing makes them so. */
function listOf(silent: readonly SilentNode[]): string {
  const listed = silent.slice(0, maxNodesInHeader).map(({ name, age }) => `${name};age=${age}`);
  const rest = silent.length - listed.length;
  return [...listed, ...(rest > 0 ? [`${rest} more`] : [])].join(', ').replace(/[^\x20-\x7e]+/g, '?');
}
