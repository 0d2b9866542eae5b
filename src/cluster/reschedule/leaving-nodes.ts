// Which nodes their containers leave, and why: nodes that are drained, and nodes that both discovery and the manager's own
// connection have lost for the time of grace, unless too many were lost at once.
import type { Logger } from '../../common/logger.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { Identities } from '../nodes/identity.ts';
import type { KnownSettings } from '../nodes/node-settings.ts';
import { Brake } from './brake.ts';
import type { MoveReason } from './kept-container.ts';

export interface LeavingNodesOptions {
  readonly identities: Identities;
  readonly settingsOf: (nodeId: string) => KnownSettings;
  readonly events: EventHub;
  readonly logger: Logger;
  /** How long a node must have been lost. */
  readonly graceMs: number;
}

export class LeavingNodes {
  readonly #options: LeavingNodesOptions;
  readonly #brake = new Brake();
  /** By `performance.now()`. */
  readonly #silentSince = new Map<Engine, number>();

  constructor(options: LeavingNodesOptions) {
    this.#options = options;
  }

  /** To be called at each look at the nodes. */
  follow(engines: readonly Engine[]): void {
    const now = performance.now();
    for (const engine of [...this.#silentSince.keys()])
      if (engine.state !== 'unhealthy') this.#silentSince.delete(engine);
    for (const engine of engines)
      if (engine.state === 'unhealthy' && !this.#silentSince.has(engine)) this.#silentSince.set(engine, now);
    const lost = [...this.#silentSince.keys()].filter(({ isVouchedFor }) => !isVouchedFor);
    const frozen = this.#brake.update(new Set(lost.map(({ address }) => address)), engines.length, now);
    for (const engine of lost) if (frozen.includes(engine.address)) this.#tellFrozen(engine, lost.length);
  }

  /** undefined: the node keeps its containers. */
  reasonToLeave(engine: Engine): MoveReason | undefined {
    const isDrained = this.isDrained(engine);
    if (engine.state === 'healthy') return isDrained ? 'drain' : undefined;
    const now = performance.now();
    const { graceMs } = this.#options;
    // Whoever drains a node that is silent says that it is gone.
    if (isDrained) {
      const since = this.#silentSince.get(engine);
      return since !== undefined && now - since >= graceMs ? 'node failure' : undefined;
    }
    const lostMs = this.#brake.lostForMs(engine.address, now);
    const isLost = lostMs !== undefined && lostMs >= graceMs && !this.isFrozen(engine);
    return isLost ? 'node failure' : undefined;
  }

  /** Of a node that is lost, though it be within its grace or frozen; for reports. */
  foreseenReason(engine: Engine): MoveReason | undefined {
    const isLost = this.#brake.lostForMs(engine.address, performance.now()) !== undefined;
    return this.reasonToLeave(engine) ?? (isLost ? 'node failure' : undefined);
  }

  /** True while the node is lost together with too many others for anything to be moved. */
  isFrozen(engine: Engine): boolean {
    return this.#brake.isFrozen(engine.address);
  }

  isDrained(engine: Engine): boolean {
    return this.settingsOf(engine).availability === 'drain';
  }

  settingsOf(engine: Engine): KnownSettings {
    const { identities, settingsOf } = this.#options;
    return settingsOf(identities.of(engine).id);
  }

  #tellFrozen(engine: Engine, lost: number): void {
    const { events, identities, logger } = this.#options;
    const { id, name } = identities.of(engine);
    const reason = `${lost} nodes were lost within a minute: nothing is moved until they are back or drained`;
    logger.error('too many nodes were lost at once: their containers are not moved', { node: name, lost });
    events.announce(engine, { type: 'node', action: 'reschedule.frozen', id, attributes: { name, reason } });
  }
}
