// Swarms of simulated engines. A test hands one of these to the engines that can hear of each other; the networks of a
// swarm are still each engine's own.
export interface SwarmMembership {
  readonly nodeId: string;
  readonly swarmId: string;
  readonly name: string;
  /** As other members reach it. */
  readonly address: string;
  isManager: boolean;
}

export class SwarmMembers {
  /** By engine name. */
  readonly #members = new Map<string, SwarmMembership>();
  /** Names of engines that the others do not reach. */
  readonly lost = new Set<string>();
  #swarms = 0;

  of(name: string): SwarmMembership | undefined {
    return this.#members.get(name);
  }

  inSwarm(swarmId: string): readonly SwarmMembership[] {
    return [...this.#members.values()].filter((member) => member.swarmId === swarmId);
  }

  form(name: string, address: string): SwarmMembership {
    this.#swarms += 1;
    return this.join(name, address, { swarmId: `swarm${this.#swarms}`, isManager: true });
  }

  join(
    name: string,
    address: string,
    { swarmId, isManager }: { readonly swarmId: string; readonly isManager: boolean },
  ): SwarmMembership {
    const member = { nodeId: `swarm-node-${name}`, swarmId, name, address, isManager };
    this.#members.set(name, member);
    return member;
  }

  leave(name: string): void {
    this.#members.delete(name);
  }
}
