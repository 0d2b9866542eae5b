// How far a network reaches that may span nodes: over all engines of one swarm-mode cluster, or over one node. Where
// it is the operator's wish that networks span nodes, none is made that does not.
import { sleep } from '../../common/abort.ts';
import { ApiError } from '../../common/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../nodes/identity.ts';
import type { Swarm, Swarms } from './swarms.ts';

/** auto: overlays where engines share a swarm; overlay: the manager sees to it that they do; bridge: never overlays. */
export type ClusterNetworks = 'auto' | 'overlay' | 'bridge';

export interface NetworkReachOptions {
  readonly mode: ClusterNetworks;
  readonly identities: Identities;
  readonly engines: () => readonly Engine[];
  readonly swarms: Swarms<Engine>;
  /** Why there is no swarm yet where the manager forms it. */
  readonly formation: () => string;
}

export type Reach =
  | { readonly kind: 'swarm'; readonly swarm: Swarm<Engine> }
  /** `reason`: why no further; undefined where there is but one node. */
  | { readonly kind: 'node'; readonly reason: string | undefined };

/** A swarm is formed, or has another leader, long before. */
const patienceMs = 30_000;
const pauseMs = 200;

export class NetworkReach {
  readonly #options: NetworkReachOptions;

  constructor(options: NetworkReachOptions) {
    this.#options = options;
  }

  /** For a new network. Throws 503 when it should span nodes and cannot just now. */
  async of(signal: AbortSignal): Promise<Reach> {
    const { mode } = this.#options;
    if (mode === 'bridge') return this.#oneNode('--cluster-network is bridge');
    const swarm = mode === 'overlay' ? await this.#formed(signal) : this.#shared();
    if (swarm === undefined) return this.#oneNode('the engines share no swarm-mode cluster');
    return { kind: 'swarm', swarm };
  }

  /** For `info`. */
  describe(): string {
    const { mode, engines, formation } = this.#options;
    const swarm = mode === 'bridge' ? undefined : mode === 'overlay' ? this.#largest() : this.#shared();
    if (swarm !== undefined) {
      const [members, managers] = [swarm.members.length, swarm.managers.length];
      return `overlay over ${members} of ${engines().length} nodes, ${managers} of them managers of swarm ${swarm.id}`;
    }
    if (mode === 'overlay') return `overlay, not yet: ${formation()}`;
    return `on one node each: ${mode === 'bridge' ? '--cluster-network is bridge' : 'the engines share no swarm-mode cluster'}`;
  }

  /** The healthy managers of the swarm, who alone can create networks in it. Throws 503 when there is none. */
  managersOf(swarm: Swarm<Engine>): readonly Engine[] {
    const healthy = swarm.managers.filter(({ state }) => state === 'healthy');
    if (healthy.length > 0) return healthy;
    const names = swarm.managers.map((engine) => this.#options.identities.nameOf(engine)).join(', ');
    throw new ApiError(503, `networks span nodes here, and no manager of their swarm answers: ${names}`);
  }

  #oneNode(reason: string): Reach {
    return { kind: 'node', reason: this.#options.engines().length > 1 ? reason : undefined };
  }

  /** One engine alone shares nothing. */
  #shared(): Swarm<Engine> | undefined {
    const swarm = this.#largest();
    return swarm !== undefined && swarm.members.length > 1 ? swarm : undefined;
  }

  #largest(): Swarm<Engine> | undefined {
    return this.#options.swarms.all.find(({ managers }) => managers.length > 0);
  }

  async #formed(signal: AbortSignal): Promise<Swarm<Engine>> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const swarm = this.#largest();
      if (swarm !== undefined) return swarm;
      if (signal.aborted || performance.now() > deadline)
        throw new ApiError(
          503,
          `networks are to span nodes, and the swarm is not formed: ${this.#options.formation()}`,
        );
      await sleep(pauseMs, signal);
    }
  }
}
