// Who of several managers is the primary: a lease that is written to the store anew before it ends. One loop reads and
// writes, so nothing races; all that others may rely on is `mayWrite`, which is a comparison with the clock.
//
// A lease of our own and not a lock of the store's sessions: Consul ends a session no sooner than twice its time to live,
// which is ten seconds or more, and counts anew when its own leader changes. A dead primary would be missed for too long,
// and a session that Consul drops would depose a healthy one.
import { randomBytes } from 'node:crypto';
import { sleep } from '../src/common/abort.ts';
import { TaskSet } from '../src/common/lifecycle.ts';
import type { Logger } from '../src/common/logger.ts';
import type { Leadership, LeaderStore, LeaderText, Primary } from './leadership.ts';
import { formatRecord, freeFromMs, leaseEndMs, parseRecord, renewalMs, type LeaderRecord } from './lease.ts';
import { TroubleLog } from './trouble-log.ts';

export interface ElectionOptions {
  readonly store: LeaderStore;
  /** HOST:PORT where other managers reach this one. */
  readonly address: string;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/** What the store held when it was last read or written. */
interface Known {
  readonly version: number;
  readonly record: LeaderRecord | undefined;
}

interface Seen {
  readonly record: LeaderRecord;
  readonly atMs: number;
  readonly lost: AbortController;
}

/** A replica looks this often even when the store wakes nobody. */
const longestLookMs = 30_000;
/** Whoever was faster is seen by then. */
const afterRefusalMs = 20;
const releaseWithinMs = 2_000;

export class Election implements Leadership {
  readonly #options: ElectionOptions;
  readonly #holder = randomBytes(8).toString('hex');
  readonly #tasks: TaskSet;
  readonly #trouble: TroubleLog;
  readonly #listeners = new Set<() => void>();
  #known: Known | undefined;
  /** The last record there was, also after a store has lost it. */
  #seen: Seen | undefined;
  /** On the monotonic clock, which goes on while the process is stopped. */
  #leaseEndMs = -Infinity;
  #lastSentMs = -Infinity;
  #isRetired = false;
  #told = '';
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#tasks = new TaskSet(options.logger);
    this.#trouble = new TroubleLog(options.logger.child({ election: options.store.name }), 'the store of the election');
  }

  start(): void {
    this.#tasks.spawn('run for primary', (signal) => this.#run(signal));
  }

  isPrimary(): boolean {
    return !this.#isRetired && this.mayWrite();
  }

  mayWrite(): boolean {
    return performance.now() < this.#leaseEndMs;
  }

  primary(): Primary | undefined {
    const seen = this.#seen;
    if (seen === undefined || seen.record.holder === this.#holder) return undefined;
    if (performance.now() >= freeFromMs(seen)) return undefined;
    return { address: seen.record.address, term: seen.record.term, lost: seen.lost.signal };
  }

  /** This manager's own, or the last one that it has heard of. */
  get term(): number {
    return this.#seen?.record.term ?? 0;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** From now on this manager takes no calls as the primary and never becomes it again; those under way may still write. */
  retire(): void {
    this.#isRetired = true;
    this.#tell();
  }

  /** Hands over: writes no more, tells the others, ends. Resolves too when the store cannot be told. May be called more than once. */
  async stop(): Promise<void> {
    this.retire();
    const wasHeld = this.mayWrite();
    this.#leaseEndMs = -Infinity;
    await this.#tasks.stop();
    clearTimeout(this.#deadline);
    if (wasHeld) await this.#release();
    this.#tell();
  }

  /** Reads first, because a renewal that was broken off may have been written. */
  async #release(): Promise<void> {
    const { store, leaseMs, logger } = this.#options;
    const signal = AbortSignal.timeout(Math.min(leaseMs, releaseWithinMs));
    try {
      for (let isWritten = false; !isWritten;) {
        const { version, text } = await store.read({ waitMs: 0 }, signal);
        const record = parseRecord(text);
        if (record?.holder !== this.#holder) return;
        isWritten = (await store.write(formatRecord({ ...record, isReleased: true }), version, signal)) !== undefined;
      }
      logger.info('the primary has handed over', { term: this.term });
    } catch {
      // Then the others wait until the lease has run out.
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#step(signal);
        this.#trouble.succeeded();
      } catch (error) {
        if (this.#tasks.signal.aborted) return;
        this.#known = undefined;
        this.#trouble.failed(error);
        this.#tell();
        await sleep(renewalMs(this.#options.leaseMs) / 4, signal);
      }
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    if (this.#known === undefined) {
      await this.#look(0, signal);
      return;
    }
    const waitMs = this.#dueMs() - performance.now();
    if (waitMs <= 0) await this.#write(this.#known.version, signal);
    else if (this.#isMine()) await sleep(Math.min(waitMs, longestLookMs), signal);
    else await this.#look(Math.min(waitMs, longestLookMs), signal);
  }

  #isMine(): boolean {
    return this.#seen?.record.holder === this.#holder && !this.#seen.record.isReleased;
  }

  /** When this manager is to write. */
  #dueMs(): number {
    if (this.#isRetired) return this.mayWrite() ? this.#renewalDueMs() : Infinity;
    if (this.#isMine()) return this.#renewalDueMs();
    return this.#seen === undefined ? -Infinity : freeFromMs(this.#seen);
  }

  #renewalDueMs(): number {
    return this.#lastSentMs + renewalMs(this.#options.leaseMs);
  }

  async #look(waitMs: number, signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const known = this.#known;
    // Stores may take their time; the moment to take over must not be missed for it.
    const limit = new AbortController();
    const timer = setTimeout(
      () => {
        limit.abort();
      },
      waitMs === 0 ? this.#answerWithinMs : waitMs,
    );
    try {
      const options = { waitMs, ...(known === undefined ? {} : { unlike: known.version }) };
      this.#observe(await store.read(options, AbortSignal.any([signal, limit.signal])));
    } catch (error) {
      if (!limit.signal.aborted || waitMs === 0) throw error;
    } finally {
      clearTimeout(timer);
    }
    this.#tell();
  }

  get #answerWithinMs(): number {
    return renewalMs(this.#options.leaseMs);
  }

  async #write(version: number, signal: AbortSignal): Promise<void> {
    const { store, address, leaseMs, logger } = this.#options;
    const wasPrimary = this.mayWrite();
    const term = this.#isMine() ? this.term : this.term + 1;
    const record = { holder: this.#holder, address, term, leaseMs, isReleased: false };
    const sentMs = performance.now();
    this.#lastSentMs = sentMs;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#answerWithinMs)]);
    const written = await store.write(formatRecord(record), version, limit);
    if (written === undefined) {
      this.#known = undefined;
      await sleep(afterRefusalMs, signal);
      return;
    }
    this.#known = { version: written, record };
    this.#see(record, sentMs);
    if (signal.aborted) return;
    this.#hold(leaseEndMs(sentMs, leaseMs));
    if (!wasPrimary) logger.info('this manager is the primary', { term, address });
    this.#tell();
  }

  #hold(untilMs: number): void {
    this.#leaseEndMs = untilMs;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(
      () => {
        if (!this.mayWrite())
          this.#options.logger.warn('this manager could not renew its lease and is not the primary');
        this.#tell();
      },
      untilMs - performance.now() + 1,
    );
  }

  #observe({ version, text }: LeaderText): void {
    if (version === this.#known?.version) return;
    const record = version === 0 ? undefined : parseRecord(text);
    this.#known = { version, record };
    if (record !== undefined) this.#see(record, performance.now());
  }

  #see(record: LeaderRecord, atMs: number): void {
    const before = this.#seen;
    const isSameTerm = before?.record.term === record.term && before.record.holder === record.holder;
    const lost = isSameTerm ? before.lost : new AbortController();
    this.#seen = { record, atMs, lost };
    if (record.holder !== this.#holder) this.#leaseEndMs = -Infinity;
    if (before === undefined || isSameTerm) return;
    // Who has handed over ends its calls by itself.
    if (!before.record.isReleased) before.lost.abort(new Error(`the primary ${before.record.address} is lost`));
    if (record.holder !== this.#holder) {
      const { address, term } = record;
      this.#options.logger.info('another manager is the primary', { address, term });
    }
  }

  #tell(): void {
    const primary = this.primary();
    const state = this.isPrimary() ? 'primary' : primary === undefined ? 'none' : `${primary.address} ${primary.term}`;
    if (state === this.#told) return;
    this.#told = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
