// The agent beside an engine: announces it within the time it promised, vouches for it only while it answers, and
// withdraws it on an orderly stop. Every failure of the store is retried; none ends the agent.
import type { DiscoveryBackend, DiscoveryEntry } from '../../discovery/backend.ts';
import { withFacts } from '../../discovery/entry.ts';
import { sleep } from '../common/abort.ts';
import { Backoff } from '../common/backoff.ts';
import { errorMessage } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import type { NodeFacts } from './node-facts.ts';
import type { EngineProbe } from './engine-probe.ts';

export interface AgentOptions {
  /** `host:port` under which managers reach the engine. */
  readonly address: string;
  readonly backend: DiscoveryBackend;
  readonly probe: EngineProbe;
  /** What is announced of the node besides; absent: nothing. */
  readonly facts?: NodeFacts;
  /** Milliseconds between two announcements; shorter than `ttlMs`. */
  readonly heartbeatMs: number;
  /** How long an announcement holds. */
  readonly ttlMs: number;
  /** The first announcement comes at a random moment within this time, so that a thousand agents do not come at once. */
  readonly delayMs: number;
  readonly logger: Logger;
  /** A number in [0, 1); Math.random by default. */
  readonly random?: () => number;
}

/** The engine is on this machine: looking at it often costs nothing, and a change is announced at once. */
const probeEveryMs = 2_000;
/** Short, so that an engine is a member again within two seconds after its manager or store came back. */
const retry = { initialMs: 200, maxMs: 1_000 };
/** An announcement that holds this long was a success, whatever becomes of it. */
const settledMs = 5_000;
/** Facts that change all the time must not keep the store busy. */
const minFactsIntervalMs = 1_000;
/** With its margin for the rest, a stop is over within a second. */
const withdrawTimeoutMs = 800;

export class Agent {
  readonly #options: AgentOptions;
  readonly #logger: Logger;
  readonly #tasks: TaskSet;
  readonly #backoff: Backoff;
  #announced: Announced | undefined;
  #isAnswering = true;
  #isFollowed = false;
  #wasLost = false;
  #failures = 0;
  #wake: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ engine: options.address });
    this.#tasks = new TaskSet(this.#logger);
    this.#backoff = new Backoff({ ...retry, random: options.random ?? Math.random });
  }

  start(): void {
    this.#tasks.spawn('announce the engine', (signal) => this.#run(signal));
  }

  /** Withdraws the engine; done within a second even when the store does not answer. May be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { delayMs, facts, random = Math.random } = this.#options;
    await facts?.start(() => {
      this.#wake();
    });
    if (delayMs > 0) await sleep(random() * delayMs, signal);
    while (!signal.aborted) {
      const alive = await this.#isEngineAlive(signal);
      const isAnnounced = !this.#isDue(alive) || (await this.#announce(alive, signal));
      if (isAnnounced) await this.#pause(this.#pauseMs, signal);
      if (!isAnnounced || this.#wasLost) await sleep(this.#backoff.next(), signal);
      this.#wasLost = false;
    }
  }

  #isDue(alive: boolean): boolean {
    const last = this.#announced;
    if (last?.alive !== alive) return true;
    const ageMs = performance.now() - last.atMs;
    return ageMs >= this.#options.heartbeatMs || (last.facts !== this.#facts && ageMs >= minFactsIntervalMs);
  }

  get #facts(): string {
    return this.#options.facts?.text ?? '';
  }

  /** Until the next look at the engine, or the first moment at which newer facts may be told. */
  get #pauseMs(): number {
    const ms = Math.min(probeEveryMs, this.#options.heartbeatMs);
    return this.#announced?.facts === this.#facts ? ms : Math.min(ms, minFactsIntervalMs);
  }

  async #isEngineAlive(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.probe(signal);
      this.#isAnswering = true;
      return true;
    } catch (error) {
      if (!signal.aborted && this.#isAnswering) {
        this.#logger.warn('the engine does not answer', { error: errorMessage(error) });
      }
      this.#isAnswering = false;
      return false;
    }
  }

  async #announce(alive: boolean, signal: AbortSignal): Promise<boolean> {
    const { address, backend, ttlMs } = this.#options;
    const before = this.#announced;
    const facts = this.#facts;
    try {
      signal.throwIfAborted();
      await backend.register({ address, alive, ...withFacts(facts === '' ? undefined : facts) }, ttlMs, signal);
    } catch (error) {
      if (!signal.aborted) this.#reportFailure(error);
      return false;
    }
    this.#announced = { alive, facts, atMs: performance.now() };
    if (before?.alive !== alive || this.#failures > 0) {
      this.#logger.info('the engine is announced', { discovery: backend.name, alive });
    }
    this.#failures = 0;
    this.#followStore({ address, alive });
    return true;
  }

  /** Asks the store, where it can, to tell when the announcement is lost; one such request is open at a time. */
  #followStore(entry: DiscoveryEntry): void {
    const { backend } = this.#options;
    if (!backend.untilLost) this.#backoff.reset();
    if (!backend.untilLost || this.#isFollowed) return;
    this.#isFollowed = true;
    this.#tasks.spawn('follow the announcement', async (signal) => {
      const startMs = performance.now();
      await backend.untilLost?.(entry, signal);
      this.#isFollowed = false;
      // A store that forgets at once, every time, must not be asked again and again at full speed.
      if (performance.now() - startMs >= settledMs) this.#backoff.reset();
      this.#announced = undefined;
      this.#wasLost = true;
      this.#wake();
    });
  }

  #reportFailure(error: unknown): void {
    if (this.#failures % 10 === 0) {
      const facts = { discovery: this.#options.backend.name, error: errorMessage(error) };
      this.#logger.warn('the engine cannot be announced', facts);
    }
    this.#failures += 1;
  }

  /** Waits until the next look at the engine is due, or the store has forgotten the announcement. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#wasLost) return;
    const over = new AbortController();
    this.#wake = () => {
      over.abort();
    };
    const wake = this.#wake;
    signal.addEventListener('abort', wake, { once: true });
    await sleep(signal.aborted ? 0 : ms, over.signal);
    signal.removeEventListener('abort', wake);
  }

  async #stop(): Promise<void> {
    await Promise.all([this.#tasks.stop(), this.#options.facts?.stop()]);
    const { address, backend } = this.#options;
    try {
      await backend.deregister({ address, alive: false }, AbortSignal.timeout(withdrawTimeoutMs));
      this.#logger.info('the engine is withdrawn', { discovery: backend.name });
    } catch (error) {
      this.#logger.warn('the engine cannot be withdrawn', { discovery: backend.name, error: errorMessage(error) });
    }
  }
}

interface Announced {
  readonly alive: boolean;
  readonly facts: string;
  /** On the monotonic clock. */
  readonly atMs: number;
}
