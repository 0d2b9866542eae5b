// Swarm mode as far as engines form, join and leave swarms and change the roles of members.
import { ApiError, notFound } from '../../../src/common/errors.ts';
import type { Call } from './call.ts';
import type { EngineState } from './engine-state.ts';
import { textAt, type JsonObject } from './json.ts';
import { route } from './router.ts';
import type { SwarmMembership } from './swarm-members.ts';

export const swarmRoutes = [
  route('GET', '/swarm', swarm),
  route('POST', '/swarm/init', init),
  route('POST', '/swarm/join', join),
  route('POST', '/swarm/leave', leave),
  route('GET', '/nodes', nodes),
  route('GET', '/nodes/{name}', node),
  route('POST', '/nodes/{name}/update', update),
];

/** What `info` shows of swarm mode. */
export function swarmInfo({ settings: { swarms, name } }: EngineState): JsonObject {
  const own = swarms.of(name);
  if (own === undefined) {
    const nobody = { NodeID: '', NodeAddr: '', ControlAvailable: false, Error: '', RemoteManagers: null };
    return { ...nobody, LocalNodeState: 'inactive' };
  }
  const managers = swarms.inSwarm(own.swarmId).filter(({ isManager }) => isManager);
  return {
    NodeID: own.nodeId,
    NodeAddr: own.address,
    LocalNodeState: 'active',
    ControlAvailable: own.isManager,
    Error: '',
    RemoteManagers: managers.map(({ nodeId, address }) => ({ NodeID: nodeId, Addr: address })),
    ...(own.isManager && { Cluster: { ID: own.swarmId } }),
  };
}

/** The word of a ping on swarm mode. */
export function swarmWord({ settings: { swarms, name } }: EngineState): string {
  const own = swarms.of(name);
  return own === undefined ? 'inactive' : `active/${own.isManager ? 'manager' : 'worker'}`;
}

function swarm(state: EngineState, call: Call): void {
  const { swarmId } = managing(state);
  call.json(200, { ID: swarmId, JoinTokens: { Worker: `worker ${swarmId}`, Manager: `manager ${swarmId}` } });
}

async function init(state: EngineState, call: Call): Promise<void> {
  assertOutside(state);
  await call.readJson();
  const { name, swarms } = state.settings;
  const { nodeId } = swarms.form(name, `${name}:2377`);
  publishIngress(state);
  call.json(200, nodeId);
}

async function join(state: EngineState, call: Call): Promise<void> {
  assertOutside(state);
  const [role, swarmId = ''] = textAt(await call.readJson(), 'JoinToken').split(' ');
  const { name, swarms } = state.settings;
  if (swarms.inSwarm(swarmId).length === 0) throw new ApiError(400, 'invalid join token');
  swarms.join(name, `${name}:2377`, { swarmId, isManager: role === 'manager' });
  publishIngress(state);
  call.empty(200);
}

function leave(state: EngineState, call: Call): void {
  state.settings.swarms.leave(state.settings.name);
  call.empty(200);
}

function nodes(state: EngineState, call: Call): void {
  const { swarms } = state.settings;
  call.json(
    200,
    swarms.inSwarm(managing(state).swarmId).map((member) => nodeDocument(state, member)),
  );
}

function node(state: EngineState, call: Call, id: string): void {
  call.json(200, nodeDocument(state, memberOf(state, id)));
}

async function update(state: EngineState, call: Call, id: string): Promise<void> {
  const role = textAt(await call.readJson(), 'Role');
  const member = memberOf(state, id);
  const was = member.isManager ? 'manager' : 'worker';
  member.isManager = role === 'manager';
  const attributes = { name: member.name, 'role.new': role, 'role.old': was };
  state.journal.publish({ type: 'node', action: 'update', id, attributes });
  call.empty(200);
}

function nodeDocument({ settings: { swarms } }: EngineState, member: SwarmMembership): JsonObject {
  const isLost = swarms.lost.has(member.name);
  return {
    ID: member.nodeId,
    Version: { Index: 7 },
    Spec: { Labels: {}, Role: member.isManager ? 'manager' : 'worker', Availability: 'active' },
    Description: { Hostname: member.name },
    Status: { State: isLost ? 'down' : 'ready' },
    ...(member.isManager && { ManagerStatus: { Reachability: isLost ? 'unreachable' : 'reachable' } }),
  };
}

function memberOf(state: EngineState, id: string): SwarmMembership {
  const member = state.settings.swarms.inSwarm(managing(state).swarmId).find(({ nodeId }) => nodeId === id);
  if (member === undefined) throw notFound('node', id);
  return member;
}

function managing({ settings: { swarms, name } }: EngineState): SwarmMembership {
  const own = swarms.of(name);
  if (own?.isManager === true) return own;
  throw new ApiError(503, 'This node is not a swarm manager.');
}

function assertOutside({ settings: { swarms, name } }: EngineState): void {
  if (swarms.of(name) !== undefined) throw new ApiError(503, 'This node is already part of a swarm.');
}

function publishIngress({ journal }: EngineState): void {
  const attributes = { name: 'ingress', type: 'overlay' };
  journal.publish({ type: 'network', action: 'create', id: 'ingress', attributes });
}
