// Nodes that were members when the manager started and have not been read since: what they have is remembered at best,
// so no new object gets a name that is theirs. A node that comes later is new, and answers for itself.
import { compareText } from '../../common/compare-text.ts';
import { ApiError } from '../../common/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../nodes/identity.ts';
import type { NamedKind, RememberedNames } from './remembered-names.ts';

/**
 * known: a name that an unseen node is remembered to have is not given; refuse: nor is any name when a node's are not
 * remembered; ignore: every name is given.
 */
export type UnseenNodesMode = 'known' | 'refuse' | 'ignore';

/** Agents announce themselves to a new manager within two seconds; their engines may take a moment longer. */
const foundingMs = 10_000;
const maxNamed = 5;

export interface UnseenNodesOptions {
  readonly mode: UnseenNodesMode;
  readonly identities: Identities;
  /** Where the manager has kept what the nodes had. */
  readonly remembered: RememberedNames | undefined;
}

export class UnseenNodes {
  readonly #options: UnseenNodesOptions;
  readonly #unseen = new Set<Engine>();
  readonly #startedAt = performance.now();

  constructor(options: UnseenNodesOptions) {
    this.#options = options;
  }

  joined(engine: Engine): void {
    if (this.#options.mode !== 'ignore' && performance.now() - this.#startedAt < foundingMs) this.#unseen.add(engine);
  }

  /** It has been read, or has left. */
  settled(engine: Engine): void {
    this.#unseen.delete(engine);
  }

  /** Throws 503 when an unseen node may have an object of that name. */
  assertFree(kind: NamedKind, name: string): void {
    if (this.#unseen.size === 0) return;
    const { remembered, identities, mode } = this.#options;
    const possible = [...this.#unseen].filter(({ address }) => {
      return remembered?.hadName(address, kind, name) ?? mode === 'refuse';
    });
    if (possible.length === 0) return;
    const nodes = possible.map((engine) => identities.nameOf(engine)).sort(compareText);
    const more = nodes.length > maxNamed ? [`${nodes.length - maxNamed} more`] : [];
    throw new ApiError(
      503,
      `a ${kind} "${name}" may exist on a node that has not answered since this manager started ` +
        `(${[...nodes.slice(0, maxNamed), ...more].join(', ')}): start the node, take it out of the cluster with docker node rm, ` +
        'or start the manager with --cluster-opt swarm.unseen=ignore',
    );
  }
}
