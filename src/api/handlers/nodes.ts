// The members as swarm-mode nodes: `docker node ls`, `inspect`, `update`, `rm` and `ps`, with swarm mode's own words
// where something is refused.
import { isAvailability, type NodeSettings } from '../../cluster/nodes/node-settings.ts';
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
import { parseGoBool } from '../../docker/go-bool.ts';
import { textMapMember, textMember } from '../../docker/go-member.ts';
import type { ApiCall } from '../api-call.ts';
import type { JsonObject } from '../request-body.ts';
import { nodeFacts } from '../views/node-facts.ts';
import { toNodeTask, type NodeTask } from '../views/node-task.ts';
import { stayingText } from '../views/staying.ts';
import { nodeRole, toSwarmNode, type SwarmNode } from '../views/swarm-node.ts';
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

/** POST /nodes/{id}/update: the whole specification, made from the one of `version`. */
export async function updateNode(call: ApiCall): Promise<void> {
  const seenVersion = parseVersion(call.query.get('version') ?? '');
  const settings = parseSpec(await call.json());
  const { ID } = resolveNode(call, call.params['id'] ?? '');
  await call.cluster.nodeSettings.update(ID, seenVersion, settings, call.signal);
  call.sendEmpty(200);
}

/** DELETE /nodes/{id} */
export async function removeNode(call: ApiCall): Promise<void> {
  const { ID } = resolveNode(call, call.params['id'] ?? '');
  const engine = call.cluster.members.engineNamed(ID);
  if (engine === undefined) throw new ApiError(404, `node ${ID} not found`);
  if (engine.state === 'healthy' && !parseGoBool(call.query.get('force')))
    throw badRequest(`rpc error: code = FailedPrecondition desc = node ${ID} is not down and can't be removed`);
  await call.cluster.nodeRemoval.remove(engine, call.signal);
  call.sendEmpty(200);
}

/** GET /tasks: `docker node ps` asks for the tasks of nodes, which are their containers. Every other question is about services. */
export function listTasks(call: ApiCall): Promise<void> {
  const filters = parseFilters(call.query.get('filters'));
  const nodes = filters.get('node');
  if (nodes.length === 0) throw notAManager();
  const ids = new Set(nodes.map((reference) => resolveNode(call, reference).ID));
  call.send(
    200,
    [...ids].flatMap((id) => tasksOf(call, id)),
  );
  return Promise.resolve();
}

function tasksOf({ cluster }: ApiCall, nodeId: string): NodeTask[] {
  const engine = cluster.members.engineNamed(nodeId);
  if (engine === undefined) return [];
  const reasons = new Map(cluster.rescheduler.staysOn(engine).map(({ containerId, reason }) => [containerId, reason]));
  return [...engine.mirror.containers.values()].map((record) => toNodeTask(record, nodeId, reasons.get(record.id)));
}

function swarmNodes(call: ApiCall): SwarmNode[] {
  return nodeFacts(call.cluster).map((node) => toSwarmNode(node, stayingText(call.cluster, node)));
}

function isWanted(node: SwarmNode, filters: Filters): boolean {
  return (
    matchesPrefix(filters, 'id', node.ID) &&
    matchesPrefix(filters, 'name', node.Description.Hostname) &&
    matchesExactly(filters, 'role', node.Spec.Role) &&
    matchesExactly(filters, 'membership', 'accepted') &&
    matchLabels(node.Description.Engine.Labels, filters) &&
    filters.get('node.label').every((wanted) => hasLabel(node.Spec.Labels, wanted))
  );
}

function parseVersion(text: string): number {
  const version = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(version)) return version;
  throw badRequest(`invalid node version '${text}'`);
}

function parseSpec(body: JsonObject): NodeSettings {
  const availability = textMember(body, 'Availability').toLowerCase();
  const role = textMember(body, 'Role').toLowerCase();
  if (!isAvailability(availability)) throw badRequest(`invalid Availability: "${textMember(body, 'Availability')}"`);
  if (role === 'manager') throw notImplemented('a node cannot be promoted: managers of this cluster are no engines');
  if (role !== nodeRole) throw badRequest(`invalid Role: "${textMember(body, 'Role')}"`);
  return { availability, labels: textMapMember(body, 'Labels') };
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
