// What an engine's info says of swarm mode: whether it is a member of a swarm, and of which one.
import { goMember, listMember, textMember } from './go-member.ts';
import type { EngineInfo } from './types.ts';

export interface SwarmMember {
  /** inactive, pending, active, error or locked; '' while the engine has not told it. */
  readonly state: string;
  /** Within the swarm; '' outside, and while a join that began is not through. */
  readonly nodeId: string;
  readonly isManager: boolean;
  /** Only managers can name their swarm: '' on workers. */
  readonly swarmId: string;
  /** Those that the engine knows, itself included; the address is host:port. */
  readonly managers: readonly { readonly id: string; readonly address: string }[];
  readonly error: string;
}

const read = new WeakMap<EngineInfo, SwarmMember>();

export function swarmMember(info: EngineInfo | undefined): SwarmMember {
  if (info === undefined) return unknownMember;
  const member = read.get(info) ?? readMember(info);
  read.set(info, member);
  return member;
}

const unknownMember = readMember({});

function readMember({ Swarm: swarm }: EngineInfo): SwarmMember {
  const isManager = goMember(swarm, 'ControlAvailable') === true;
  return {
    state: textMember(swarm, 'LocalNodeState'),
    nodeId: textMember(swarm, 'NodeID'),
    isManager,
    swarmId: isManager ? textMember(goMember(swarm, 'Cluster'), 'ID') : '',
    managers: listMember(swarm, 'RemoteManagers')
      .map((manager) => ({ id: textMember(manager, 'NodeID'), address: textMember(manager, 'Addr') }))
      .filter(({ id }) => id !== ''),
    error: textMember(swarm, 'Error'),
  };
}
