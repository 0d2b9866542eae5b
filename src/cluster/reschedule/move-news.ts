// What becomes of containers that leave their node, told to the log and as events of theirs.
import { errorMessage } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { Identities } from '../nodes/identity.ts';
import type { KeptContainer, MoveReason } from './kept-container.ts';

export interface MoveNewsOptions {
  readonly events: EventHub;
  readonly identities: Identities;
  readonly logger: Logger;
}

export class MoveNews {
  readonly #options: MoveNewsOptions;

  constructor(options: MoveNewsOptions) {
    this.#options = options;
  }

  planned(engine: Engine, members: readonly KeptContainer[], reason: MoveReason): void {
    const from = this.#options.identities.nameOf(engine);
    for (const member of members) this.#tell(engine, member, 'planned', { from, reason });
  }

  done(engine: Engine, member: KeptContainer, { target, reason }: { target: Engine; reason: MoveReason }): void {
    const { identities, logger } = this.#options;
    const [from, to] = [identities.nameOf(engine), identities.nameOf(target)];
    logger.info('a container was moved', { container: member.name, from, to, reason });
    this.#tell(engine, member, 'done', { from, to, reason });
  }

  failed(
    engine: Engine,
    members: readonly KeptContainer[],
    { reason, cause }: { readonly reason: MoveReason; readonly cause: unknown },
  ): void {
    const from = this.#options.identities.nameOf(engine);
    const error = errorMessage(cause);
    for (const member of members) {
      this.#options.logger.warn('a container could not be moved', { container: member.name, from, reason, error });
      this.#tell(engine, member, 'failed', { from, reason, error });
    }
  }

  /** `name` is what the older copy is called now. */
  putAway(engine: Engine, copy: KeptContainer, name: string): void {
    const node = this.#options.identities.nameOf(engine);
    this.#options.logger.info('an older copy of a container was put away', { container: copy.name, node, name });
    this.#tell(engine, copy, 'stale', { from: node, stale: name });
  }

  notPutAway(engine: Engine, { name }: KeptContainer, cause: unknown): void {
    const node = this.#options.identities.nameOf(engine);
    const error = errorMessage(cause);
    this.#options.logger.warn('an older copy of a container could not be put away', { container: name, node, error });
  }

  #tell(
    engine: Engine,
    { containerId, name, swarmId }: KeptContainer,
    what: string,
    facts: Readonly<Record<string, string>>,
  ): void {
    const attributes = { name, ...facts, 'com.docker.swarm.id': swarmId };
    this.#options.events.announce(engine, {
      type: 'container',
      action: `reschedule.${what}`,
      id: containerId,
      attributes,
    });
  }
}
