// What an engine is in swarm mode, for people who look at the nodes.
import { swarmMember } from '../../docker/swarm-member.ts';
import type { Engine } from '../../engine/engine.ts';
import type { SwarmState } from '../locations.ts';
import type { SwarmKeeper } from './swarm-keeper.ts';

/** With what keeps it out of the others' swarm; undefined where neither is of interest. `keeper`: where the manager forms the swarm. */
export function swarmStateOf(engine: Engine, keeper: SwarmKeeper | undefined): SwarmState | undefined {
  const { state, isManager, error } = swarmMember(engine.info);
  if (keeper === undefined && (state === '' || state === 'inactive')) return undefined;
  const role = state === 'active' ? (isManager ? 'manager' : 'worker') : state;
  return { role, note: keeper?.noteOf(engine) ?? (error === '' ? undefined : error) };
}
