// What a test makes go wrong. Rules are matched against "METHOD url" as received and against the same without
// version prefix; each that matches takes effect, in the order in which they were made.
import type { ReceivedRequest } from './call.ts';

export type Fault =
  | { readonly kind: 'fail'; readonly status: number; readonly message: string }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'cut'; readonly afterWork: boolean };

interface Rule {
  readonly pattern: RegExp;
  readonly fault: Fault;
  timesLeft: number;
}

/** How often a rule takes effect; absence means until it is cleared. */
interface Times {
  readonly times?: number;
}

/** What whole-engine faults act on. */
export interface FaultTarget {
  endEventStreams(): void;
  loseEvents(count: number): void;
  closeListener(): Promise<void>;
  openListener(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

export class Faults {
  readonly #target: FaultTarget;
  #rules: Rule[] = [];

  constructor(target: FaultTarget) {
    this.#target = target;
  }

  /** Answers with `status` and `{"message"}` and does no work. */
  fail(
    pattern: RegExp,
    { status, message, times }: { readonly status: number; readonly message: string } & Times,
  ): void {
    this.#add(pattern, { kind: 'fail', status, message }, times);
  }

  /** Begins the work `ms` later. */
  delay(pattern: RegExp, ms: number, { times }: Times = {}): void {
    this.#add(pattern, { kind: 'delay', ms }, times);
  }

  /** Never answers and does no work. */
  hang(pattern: RegExp, { times }: Times = {}): void {
    this.#add(pattern, { kind: 'hang' }, times);
  }

  /** Destroys the connection once the request is read: before the work, or after it and in place of the answer. */
  cut(pattern: RegExp, { afterWork = false, times }: { readonly afterWork?: boolean } & Times = {}): void {
    this.#add(pattern, { kind: 'cut', afterWork }, times);
  }

  /** Ends the open event streams; new ones work. */
  dropEvents(): void {
    this.#target.endEventStreams();
  }

  /** The next `count` events are neither sent nor replayed. */
  silenceEvents(count: number): void {
    this.#target.loseEvents(count);
  }

  /** Closes the listener and all connections: from now on connections are refused. */
  async refuse(): Promise<void> {
    await this.#target.closeListener();
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    await this.#target.openListener();
  }

  /** Connections are accepted, but nothing is done or sent until `thaw`, which then does what was asked meanwhile. */
  freeze(): void {
    this.#target.freeze();
  }

  thaw(): void {
    this.#target.thaw();
  }

  /** Forgets the rules and thaws. Requests that hang stay so. */
  clear(): void {
    this.#rules = [];
    this.#target.thaw();
  }

  /** The faults of this request; each counts as used. */
  take({ method, url }: ReceivedRequest): readonly Fault[] {
    if (this.#rules.length === 0) return [];
    const texts = [`${method} ${url}`, `${method} ${url.replace(/^\/v[\d.]+(?=\/)/, '')}`];
    const matching = this.#rules.filter(({ pattern }) => texts.some((text) => text.search(pattern) !== -1));
    for (const rule of matching) rule.timesLeft--;
    this.#rules = this.#rules.filter(({ timesLeft }) => timesLeft > 0);
    return matching.map(({ fault }) => fault);
  }

  #add(pattern: RegExp, fault: Fault, times = Infinity): void {
    this.#rules.push({ pattern, fault, timesLeft: times });
  }
}
