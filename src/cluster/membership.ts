// Which engines are members: exactly those that discovery lists. Removals come before additions, so that an
// engine that moved to another address is never counted twice.
import type { DiscoveryEntry } from '../../discovery/backend.ts';
import { errorMessage } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Engine } from '../engine/engine.ts';

export interface MembershipOptions {
  readonly engineFactory: (address: string) => Engine;
  readonly logger: Logger;
  /** Called before the engine is started. */
  readonly onJoin: (engine: Engine) => void;
  /** Called before the engine is stopped. */
  readonly onLeave: (engine: Engine) => void;
}

export class Membership {
  readonly #options: MembershipOptions;
  readonly #engines = new Map<string, Engine>();
  readonly #unusable = new Set<string>();
  readonly #stopping = new Set<Promise<void>>();
  #isKnown = false;
  #isStopped = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** True once discovery has given a first set. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Makes the members equal to `entries`. An entry that is not alive stays a member: the word is only a hint. */
  apply(entries: readonly DiscoveryEntry[]): void {
    if (this.#isStopped) return;
    const listed = new Map(entries.map((entry) => [entry.address, entry]));
    for (const [address, engine] of [...this.#engines]) if (!listed.has(address)) this.#remove(engine);
    for (const [address, { alive }] of listed) {
      const engine = this.#engines.get(address) ?? this.#add(address);
      engine?.setAnnounced(alive);
    }
    this.#isKnown = true;
  }

  /** Lets every engine go and waits until all have stopped. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const engine of [...this.#engines.values()]) this.#remove(engine);
    await Promise.all(this.#stopping);
  }

  /** undefined for an address that is none: one bad entry must not keep the others out. */
  #add(address: string): Engine | undefined {
    const engine = this.#create(address);
    if (engine === undefined) return undefined;
    this.#engines.set(address, engine);
    this.#options.logger.info('an engine joins', { address });
    this.#options.onJoin(engine);
    engine.start();
    return engine;
  }

  #create(address: string): Engine | undefined {
    try {
      return this.#options.engineFactory(address);
    } catch (error) {
      const isKnown = this.#unusable.has(address);
      this.#unusable.add(address);
      if (!isKnown)
        this.#options.logger.error('an entry of discovery is no engine', { address, error: errorMessage(error) });
      return undefined;
    }
  }

  #remove(engine: Engine): void {
    this.#engines.delete(engine.address);
    this.#options.logger.info('an engine leaves', { address: engine.address });
    this.#options.onLeave(engine);
    const stopping = this.#stop(engine).finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
  }

  async #stop(engine: Engine): Promise<void> {
    try {
      await engine.stop();
    } catch (error) {
      this.#options.logger.error('an engine could not be stopped', {
        address: engine.address,
        error: errorMessage(error),
      });
    }
  }
}
