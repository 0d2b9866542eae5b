// Whether engines are members of one swarm-mode cluster, so that an overlay network of theirs spans all of them.
import type { EngineInfo } from '../docker/types.ts';
import { goMember, listMember, textMember } from '../docker/go-member.ts';

/** True when all are in one swarm and at least one of them is a manager of it; a single engine shares nothing. */
export function shareOneSwarm(engines: readonly (EngineInfo | undefined)[]): boolean {
  const swarms = engines.map((info) => info?.Swarm);
  if (swarms.length < 2 || !swarms.every((swarm) => swarm?.LocalNodeState === 'active')) return false;
  const managers = swarms.filter((swarm) => swarm?.ControlAvailable === true);
  const clusters = new Set(managers.map((swarm) => swarm?.Cluster?.ID));
  if (clusters.size !== 1 || clusters.has(undefined)) return false;
  const managerIds = new Set(managers.map((swarm) => swarm?.NodeID));
  return swarms.every((swarm) => swarm?.ControlAvailable === true || knowsOneOf(swarm, managerIds));
}

/** A worker cannot name its cluster, only the managers it talks to. */
function knowsOneOf(swarm: unknown, managerIds: ReadonlySet<string | undefined>): boolean {
  return listMember(swarm, 'RemoteManagers').some((manager) => {
    return goMember(manager, 'NodeID') !== undefined && managerIds.has(textMember(manager, 'NodeID'));
  });
}
