// Which engines are members of one swarm-mode cluster, so that an overlay network of theirs spans all of them. Engines
// that do not answer count as what they last were.
import { compareText } from '../../common/compare-text.ts';
import { swarmMember } from '../../docker/swarm-member.ts';
import type { SwarmMember } from '../../docker/swarm-member.ts';
import type { EngineInfo } from '../../docker/types.ts';

/** The part of an engine that is looked at. */
export interface SwarmCandidate {
  readonly info: EngineInfo | undefined;
}

export interface Swarm<E> {
  /** '' where no manager of the swarm is a member of the cluster. */
  readonly id: string;
  /** In the order in which they were given. */
  readonly members: readonly E[];
  /** Those of the members that can change the swarm. */
  readonly managers: readonly E[];
}

/** The swarms of the engines, the one with the most members first. */
export function findSwarms<E extends SwarmCandidate>(engines: readonly E[]): readonly Swarm<E>[] {
  const active = engines
    .map((engine) => ({ engine, member: swarmMember(engine.info) }))
    .filter(({ member }) => member.state === 'active');
  const swarmOfManager = new Map(
    active.flatMap(({ member }) => (member.swarmId === '' ? [] : [[member.nodeId, member.swarmId] as const])),
  );
  const swarms = new Map<string, { id: string; members: E[]; managers: E[] }>();
  for (const { engine, member } of active) {
    const id = swarmIdOf(member, swarmOfManager);
    // Workers whose managers are strangers are together when they know the same ones.
    const key = id === '' ? `of ${managerIds(member).sort(compareText).join(' ')}` : id;
    const swarm = swarms.get(key) ?? { id, members: [], managers: [] };
    swarms.set(key, swarm);
    swarm.members.push(engine);
    if (member.isManager) swarm.managers.push(engine);
  }
  return [...swarms.values()].sort((a, b) => b.members.length - a.members.length || compareText(b.id, a.id));
}

/** A worker cannot name its swarm, only the managers it talks to. */
function swarmIdOf(member: SwarmMember, swarmOfManager: ReadonlyMap<string, string>): string {
  if (member.swarmId !== '') return member.swarmId;
  const known = managerIds(member).find((id) => swarmOfManager.has(id));
  return known === undefined ? '' : (swarmOfManager.get(known) ?? '');
}

function managerIds({ managers }: SwarmMember): string[] {
  return managers.map(({ id }) => id);
}

/** The swarms of a changing set of engines; looked for anew only when `forget` was called. */
export class Swarms<E extends SwarmCandidate> {
  readonly #engines: () => readonly E[];
  #found: readonly Swarm<E>[] | undefined;
  #byEngine: ReadonlyMap<E, Swarm<E>> | undefined;

  constructor(engines: () => readonly E[]) {
    this.#engines = engines;
  }

  /** The one with the most members first. */
  get all(): readonly Swarm<E>[] {
    return (this.#found ??= findSwarms(this.#engines()));
  }

  of(engine: E): Swarm<E> | undefined {
    this.#byEngine ??= new Map(this.all.flatMap((swarm) => swarm.members.map((member) => [member, swarm] as const)));
    return this.#byEngine.get(engine);
  }

  /** To be called when an engine has come, has left, or has told something else of itself. */
  forget(): void {
    this.#found = undefined;
    this.#byEngine = undefined;
  }
}
