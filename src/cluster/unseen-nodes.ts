// Nodes that were members when the manager started and have not been read since: nobody knows what they have. Where
// doubles are worse than waiting, no new object gets a name that may be theirs. A node that comes later is new, and answers for itself.
import { compareText } from '../common/compare-text.ts';
import { ApiError } from '../common/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Identities } from './identity.ts';

/** refuse: a name that an unseen node may have is not given; ignore: it is given. */
export type UnseenNodesMode = 'refuse' | 'ignore';

/** Agents announce themselves to a new manager within two seconds; their engines may take a moment longer. */
const foundingMs = 10_000;
const maxNamed = 5;

export class UnseenNodes {
  readonly #mode: UnseenNodesMode;
  readonly #identities: Identities;
  readonly #unseen = new Set<Engine>();
  readonly #startedAt = performance.now();

  constructor(mode: UnseenNodesMode, identities: Identities) {
    this.#mode = mode;
    this.#identities = identities;
  }

  joined(engine: Engine): void {
    if (this.#mode === 'refuse' && performance.now() - this.#startedAt < foundingMs) this.#unseen.add(engine);
  }

  /** It has been read, or has left. */
  settled(engine: Engine): void {
    this.#unseen.delete(engine);
  }

  /** Throws 503 when a node is unseen. `what` is what would get the name: 'container "web"'. */
  assertNone(what: string): void {
    if (this.#unseen.size === 0) return;
    const names = [...this.#unseen].map((engine) => this.#identities.nameOf(engine)).sort(compareText);
    const more = names.length > maxNamed ? [`${names.length - maxNamed} more`] : [];
    throw new ApiError(
      503,
      `a ${what} may exist on a node that has not answered since this manager started ` +
        `(${[...names.slice(0, maxNamed), ...more].join(', ')}): start the node, take it out of the cluster, ` +
        'or start the manager without --cluster-opt swarm.unseen=refuse',
    );
  }
}
