// Taking a node out of the cluster for good: out of discovery, and out of what is kept of nodes.
import { sleep } from '../../common/abort.ts';
import { notImplemented } from '../../common/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Rescheduler } from '../reschedule/rescheduler.ts';
import type { Identities } from './identity.ts';
import type { NodeSettingsBook } from './node-settings.ts';

export interface NodeRemovalOptions {
  /** Takes a member out of discovery; without it members cannot be removed. */
  readonly withdraw: ((address: string, signal: AbortSignal) => Promise<void>) | undefined;
  readonly identities: Identities;
  readonly settings: NodeSettingsBook;
  readonly rescheduler: Rescheduler;
}

/** Until a store that has taken a withdrawal says so to those who watch it. */
const withdrawalMs = 2_000;
const pauseMs = 20;

export class NodeRemoval {
  readonly #options: NodeRemovalOptions;

  constructor(options: NodeRemovalOptions) {
    this.#options = options;
  }

  /** One whose agent still runs comes back, as if nothing had ever been set on it. */
  async remove(engine: Engine, signal: AbortSignal): Promise<void> {
    const { withdraw, identities, settings, rescheduler } = this.#options;
    if (withdraw === undefined) throw notImplemented('members cannot be removed here');
    const { id } = identities.of(engine);
    rescheduler.forgetNode(engine);
    await withdraw(engine.address, signal);
    await settings.forget(id, signal);
    for (let waitedMs = 0; engine.state !== 'gone' && waitedMs < withdrawalMs; waitedMs += pauseMs)
      await sleep(pauseMs, signal);
  }
}
