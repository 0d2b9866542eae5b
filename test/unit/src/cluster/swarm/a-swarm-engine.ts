// Engines as tests of swarms want them: no more than a state and what `info` says of swarm mode.
import type { EngineInfo } from '../../../../../src/docker/types.ts';

export interface SwarmEngine {
  readonly name: string;
  readonly state: string;
  readonly info: EngineInfo | undefined;
}

export function aSwarmManager(name: string, swarm = 's1', state = 'healthy'): SwarmEngine {
  const Swarm = { LocalNodeState: 'active', ControlAvailable: true, NodeID: `id-${name}`, Cluster: { ID: swarm } };
  return { name, state, info: { Swarm } };
}

export function aSwarmWorker(name: string, manager: string, state = 'healthy'): SwarmEngine {
  const RemoteManagers = [{ NodeID: `id-${manager}`, Addr: '10.0.0.1:2377' }];
  const Swarm = { LocalNodeState: 'active', ControlAvailable: false, NodeID: `id-${name}`, RemoteManagers };
  return { name, state, info: { Swarm } };
}

/** One that is no member; `localState` as the engine says it. */
export function anOutsider(name: string, localState = 'inactive', state = 'healthy'): SwarmEngine {
  return { name, state, info: { Swarm: { LocalNodeState: localState, NodeID: '' } } };
}

/** One that has never told of itself. */
export function aStranger(name: string): SwarmEngine {
  return { name, state: 'pending', info: undefined };
}
