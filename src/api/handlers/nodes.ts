// The members as swarm-mode nodes, read-only: `docker node ls`, `docker node inspect`, `docker node ps`.
import { ApiError, badRequest, notImplemented } from '../../common/errors.ts';
import {
  assertKnownFilters,
  hasLabel,
  matchesExactly,
  matchesPrefix,
  matchLabels,
  parseFilters,
  type Filters,
} from '../../docker/filters.ts';
import type { ApiCall } from '../api-call.ts';
import { nodeFacts } from '../views/node-facts.ts';
import { toSwarmNode, type SwarmNode } from '../views/swarm-node.ts';
import { notAManager } from './swarm.ts';

const nodeFilters = ['id', 'label', 'node.label', 'membership', 'name', 'role'];

/** GET /nodes */
export function listNodes(call: ApiCall): Promise<void> {
  const filters = parseFilters(call.query.get('filters'));
  assertKnownFilters(filters, nodeFilters);
  call.send(
    200,
    swarmNodes(call).filter((node) => isWanted(node, filters)),
  );
  return Promise.resolve();
}

/** GET /nodes/{id}: by id, host name or unique id prefix. */
export function inspectNode(call: ApiCall): Promise<void> {
  call.send(200, resolveNode(call, call.params['id'] ?? ''));
  return Promise.resolve();
}

/** POST /nodes/{id}/update and DELETE /nodes/{id}: members come and go by discovery. */
export function changeNode(call: ApiCall): Promise<void> {
  resolveNode(call, call.params['id'] ?? '');
  throw notImplemented('nodes cannot be changed through this API: members are announced and withdrawn by their agents');
}

/** GET /tasks: `docker node ps` asks for the tasks of a node; there are none. Every other question is about services. */
export function listTasks(call: ApiCall): Promise<void> {
  const filters = parseFilters(call.query.get('filters'));
  const nodes = filters.get('node');
  if (nodes.length === 0) throw notAManager();
  for (const reference of nodes) resolveNode(call, reference);
  call.send(200, []);
  return Promise.resolve();
}

function swarmNodes(call: ApiCall): SwarmNode[] {
  return nodeFacts(call.cluster).map(toSwarmNode);
}

function isWanted(node: SwarmNode, filters: Filters): boolean {
  return (
    matchesPrefix(filters, 'id', node.ID) &&
    matchesPrefix(filters, 'name', node.Description.Hostname) &&
    matchesExactly(filters, 'role', node.Spec.Role) &&
    matchesExactly(filters, 'membership', 'accepted') &&
    matchLabels(node.Spec.Labels, filters) &&
    filters.get('node.label').every((wanted) => hasLabel(node.Spec.Labels, wanted))
  );
}

function resolveNode(call: ApiCall, reference: string): SwarmNode {
  const nodes = swarmNodes(call);
  const exact = nodes.find((node) => node.ID === reference || node.Description.Hostname === reference);
  if (exact !== undefined) return exact;
  const byPrefix = reference === '' ? [] : nodes.filter((node) => node.ID.startsWith(reference));
  const [only, second] = byPrefix;
  if (only === undefined) throw new ApiError(404, `node ${reference} not found`);
  if (second !== undefined) throw badRequest(`node ${reference} is ambiguous (${byPrefix.length} matches found)`);
  return only;
}
