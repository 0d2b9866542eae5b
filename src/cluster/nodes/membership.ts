// Which engines are members: those that discovery lists, but for the place that a node has left, and for an engine that
// both the store and its own connection have lost for long. Removals come before additions, so that an engine that moved
// to another address is never counted twice.
import type { DiscoveryEntry } from '../../../discovery/backend.ts';
import { errorMessage } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { parseFacts, type AnnouncedFacts } from '../../engine/announced-facts.ts';
import type { Engine } from '../../engine/engine.ts';

export interface MembershipOptions {
  readonly engineFactory: (address: string) => Engine;
  readonly logger: Logger;
  /** Called before the engine is started. */
  readonly onJoin: (engine: Engine) => void;
  /** Called before the engine is stopped. */
  readonly onLeave: (engine: Engine) => void;
}

interface Announcement {
  readonly alive: boolean;
  readonly missing: boolean;
  readonly text: string;
  readonly facts: AnnouncedFacts;
}

/** An engine that nobody announces and that does not answer may be in repair: this long it is shown as what it is. */
const graceMs = 60 * 60 * 1000;

export class Membership {
  readonly #options: MembershipOptions;
  readonly #engines = new Map<string, Engine>();
  #announced: ReadonlyMap<string, Announcement> = new Map();
  readonly #joined = new Map<string, Date>();
  /** Since when the store, asked, has not known the engine. */
  readonly #missing = new Map<string, number>();
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

  /**
   * Makes the members equal to `entries`. An entry that is not alive stays a member: the word is only a hint. One that is
   * missing in the store stays what it is, a member or none.
   */
  apply(entries: readonly DiscoveryEntry[]): void {
    if (this.#isStopped) return;
    const listed = this.#withoutFormerPlaces(entries);
    for (const [address, engine] of [...this.#engines]) if (!listed.has(address)) this.#remove(engine);
    for (const [address, { alive, missing, facts }] of listed) {
      const engine = this.#engines.get(address) ?? (missing ? undefined : this.#add(address));
      engine?.setAnnounced(alive, facts);
      if (!missing || engine === undefined) this.#missing.delete(address);
      else if (!this.#missing.has(address)) this.#missing.set(address, Date.now());
    }
    this.#isKnown = true;
  }

  /**
   * Lets go of engines that the store has forgotten and that have not answered either, both for an hour. To be called now
   * and then. A store that is silent itself is no witness; and when most engines are lost at once, it is rather this
   * manager that is.
   */
  forgetLost(store: 'answers' | 'silent', now = Date.now()): void {
    if (store === 'silent') for (const address of this.#missing.keys()) this.#missing.set(address, now);
    const lost = [...this.#missing].flatMap(([address, since]) => {
      const engine = this.#engines.get(address);
      if (engine === undefined || engine.state === 'healthy') return [];
      return now - Math.max(since, engine.updatedAt?.getTime() ?? 0) >= graceMs ? [engine] : [];
    });
    if (lost.length * 2 > this.#engines.size) return;
    for (const engine of lost) {
      this.#options.logger.warn('an engine is lost: nobody announces it, and it does not answer', {
        address: engine.address,
      });
      this.#remove(engine);
    }
  }

  /** A node that is announced alive elsewhere has moved, unless it answered here later than it came there: then it was copied. */
  #withoutFormerPlaces(entries: readonly DiscoveryEntry[]): ReadonlyMap<string, Announcement> {
    const announced = this.#read(entries);
    const presentPlaces = new Map<string, string>();
    for (const [address, { alive, facts }] of announced) if (alive) presentPlaces.set(facts.id, address);
    presentPlaces.delete('');
    const isFormer = ([address, { alive, facts }]: [string, Announcement]): boolean => {
      const present = presentPlaces.get(facts.id);
      return !alive && present !== undefined && !this.#haveMet(address, present);
    };
    return new Map([...announced].filter((entry) => !isFormer(entry)));
  }

  #haveMet(former: string, present: string): boolean {
    const lastWord = this.#engines.get(former)?.updatedAt;
    const joined = this.#joined.get(present);
    return lastWord !== undefined && joined !== undefined && lastWord > joined;
  }

  /** The facts are the same object for the same text. */
  #read(entries: readonly DiscoveryEntry[]): ReadonlyMap<string, Announcement> {
    const known = this.#announced;
    this.#announced = new Map(
      entries.map(({ address, alive, missing = false, facts: text = '' }) => {
        const before = known.get(address);
        const facts = before?.text === text ? before.facts : parseFacts(text);
        return [address, { alive, missing, text, facts }];
      }),
    );
    return this.#announced;
  }

  /** Stops every engine. None of them is said to leave: what is kept of them goes with the whole. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const engine of this.#engines.values()) this.#stopInBackground(engine);
    this.#engines.clear();
    await Promise.all(this.#stopping);
  }

  /** undefined for an address that is none: one bad entry must not keep the others out. */
  #add(address: string): Engine | undefined {
    const engine = this.#create(address);
    if (engine === undefined) return undefined;
    this.#engines.set(address, engine);
    this.#joined.set(address, new Date());
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
    this.#joined.delete(engine.address);
    this.#missing.delete(engine.address);
    this.#options.logger.info('an engine leaves', { address: engine.address });
    this.#options.onLeave(engine);
    this.#stopInBackground(engine);
  }

  #stopInBackground(engine: Engine): void {
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
