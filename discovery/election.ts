// Who of several managers is the primary: a lease that is written to the store anew before it ends. One loop reads and
// writes, so nothing races; all that others may rely on is `mayWrite`, which is a comparison with the clock.
//
// A lease of our own and not a lock of the store's sessions: Consul ends a session no sooner than twice its time to live,
// which is ten seconds or more, and counts anew when its own leader changes, as etcd does with its leases. A dead primary
// would be missed for too long, and a session that a store drops would depose a healthy one.
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
const handOverWithinMs = 2_000;

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
  #isHandingOver = false;
  #handedOver = new AbortController();
  /** Ends the pause of the loop. */
  #wake: () => void = () => undefined;
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
  term(): number {
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

  /**
   * Writes no more and tells the others that they may; then follows who comes next. Resolves too when the store cannot be
   * told: the others wait until the lease has run out.
   */
  async handOver(): Promise<void> {
    this.retire();
    this.#leaseEndMs = -Infinity;
    if (!this.#isHandingOver) this.#handedOver = new AbortController();
    this.#isHandingOver = true;
    this.#wake();
    if (this.#isMine()) await sleep(handOverWithinMs, this.#handedOver.signal);
  }

  /** Hands over, and ends. May be called more than once. */
  async stop(): Promise<void> {
    await this.handOver();
    await this.#tasks.stop();
    clearTimeout(this.#deadline);
    this.#tell();
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
    const waitMs = Math.min(this.#dueMs() - performance.now(), longestLookMs);
    if (waitMs <= 0) await this.#write(this.#known.version, signal);
    else if (this.#isMine()) await this.#pause(waitMs, signal);
    else await this.#look(waitMs, signal);
  }

  #isMine(): boolean {
    return this.#seen?.record.holder === this.#holder && !this.#seen.record.isReleased;
  }

  /** When this manager is to write. */
  #dueMs(): number {
    if (this.#isHandingOver) return this.#isMine() ? -Infinity : Infinity;
    if (this.#isRetired) return this.mayWrite() ? this.#renewalDueMs() : Infinity;
    if (this.#isMine()) return this.#renewalDueMs();
    return this.#seen === undefined ? -Infinity : freeFromMs(this.#seen);
  }

  #renewalDueMs(): number {
    return this.#lastSentMs + renewalMs(this.#options.leaseMs);
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await limited(ms, signal, async (limit, end) => {
      this.#wake = end;
      await sleep(ms, limit);
    });
  }

  async #look(waitMs: number, signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const known = this.#known;
    const options = { waitMs, ...(known === undefined ? {} : { unlike: known.version }) };
    // Stores may take their time; the moment to take over must not be missed for it.
    const withinMs = waitMs === 0 ? this.#answerWithinMs : waitMs;
    const seen = await limited(withinMs, signal, async (limit) => {
      try {
        return await store.read(options, limit);
      } catch (error) {
        if (limit.aborted && waitMs > 0) return undefined;
        throw error;
      }
    });
    if (seen !== undefined) this.#observe(seen);
    this.#tell();
  }

  get #answerWithinMs(): number {
    return renewalMs(this.#options.leaseMs);
  }

  async #write(version: number, signal: AbortSignal): Promise<void> {
    const { store, address, leaseMs, logger } = this.#options;
    const wasPrimary = this.mayWrite();
    const term = this.term() + (this.#isMine() ? 0 : 1);
    const beat = (this.#seen?.record.beat ?? 0) + 1;
    const record = { holder: this.#holder, address, term, leaseMs, beat, isReleased: this.#isHandingOver };
    const sentMs = performance.now();
    this.#lastSentMs = sentMs;
    const written = await limited(this.#answerWithinMs, signal, (limit) =>
      store.write(formatRecord(record), version, limit),
    );
    if (written === undefined) {
      this.#known = undefined;
      await sleep(afterRefusalMs, signal);
      return;
    }
    this.#known = { version: written, record };
    this.#see(record, sentMs);
    if (record.isReleased) {
      logger.info('the primary has handed over', { term });
      this.#handedOver.abort();
    }
    // The right to write is not taken back by an answer that was on its way.
    if (this.#isHandingOver) return;
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
    // Seeing the same writing again, after a failure, proves nothing of its holder.
    const isKnown = isSameTerm && before.record.beat === record.beat;
    this.#seen = { record, atMs: isKnown ? before.atMs : atMs, lost };
    if (record.holder !== this.#holder) this.#leaseEndMs = -Infinity;
    if (before === undefined || isSameTerm) return;
    if (before.record.holder === this.#holder) this.#handedOver.abort();
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

/** Does `work` with a signal that aborts after `ms`, with `signal`, or by `end`; nothing of it stays behind. */
async function limited<T>(
  ms: number,
  signal: AbortSignal,
  work: (limit: AbortSignal, end: () => void) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const end = (): void => {
    limit.abort(signal.reason);
  };
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) end();
    return await work(limit.signal, end);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
