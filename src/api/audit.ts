// Who changed what: one entry for each call that may change something. Of the request nothing is kept but who asked for
// what: no body, no query, no header, because secrets travel in all of them.
import { describeCaller, type Caller } from '../authorization/rules.ts';

export interface AuditEntry {
  /** When the call came; RFC 3339. */
  readonly time: string;
  readonly caller: string;
  /** '' for a unix socket. */
  readonly address: string;
  readonly method: string;
  /** As the table of routes has it. */
  readonly route: string;
  /** As the caller named it; '' where the call names none. */
  readonly object: string;
  /** '' where no single node had to do with it. */
  readonly node: string;
  readonly status: number;
  /** Until the answer was complete; of a raw stream until it began. */
  readonly durationMs: number;
  /** Why it was refused by the rules; absent when it was not. */
  readonly denied?: string;
}

export interface Audit {
  record(entry: AuditEntry): void;
}

/** What becomes known of one call while it runs. */
export class CallTrace {
  readonly #audit: Audit | undefined;
  readonly #startedAt = new Date();
  readonly #startMs = performance.now();
  #subject: Pick<AuditEntry, 'caller' | 'address' | 'method' | 'route'> | undefined;
  #object = '';
  #node = '';
  #denied: string | undefined;

  constructor(audit: Audit | undefined) {
    this.#audit = audit;
  }

  /** From here on its end is recorded. */
  begin(caller: Caller, { method, pattern }: { readonly method: string; readonly pattern: string }): void {
    this.#subject = { caller: describeCaller(caller), address: caller.address ?? '', method, route: pattern };
  }

  concerns(object: string): void {
    if (this.#object === '') this.#object = object;
  }

  reaches(node: string): void {
    this.#node = node;
  }

  denied(reason: string): void {
    this.#denied = reason;
  }

  /** Only the first end counts. */
  end(status: number): void {
    if (this.#subject === undefined) return;
    this.#audit?.record({
      time: this.#startedAt.toISOString(),
      ...this.#subject,
      object: this.#object,
      node: this.#node,
      status,
      durationMs: Math.round(performance.now() - this.#startMs),
      ...(this.#denied !== undefined && { denied: this.#denied }),
    });
    this.#subject = undefined;
  }
}
