// The last events of each source, for clients that ask for what was before they came. All sources share one bound: an
// event takes a kilobyte, and a thousand engines with as many as each of them remembers would take a quarter of a gigabyte.
import type { ClusterEvent } from './cluster-event.ts';

/** What all rings together hold; the oldest event gives way, whosever it is. */
export class EventMemory {
  readonly #most: number;
  readonly #owners = new Map<ClusterEvent, EventRing>();

  constructor(most = 8_192) {
    this.#most = most;
  }

  keep(event: ClusterEvent, ring: EventRing): void {
    this.#owners.set(event, ring);
    if (this.#owners.size <= this.#most) return;
    for (const [oldest, owner] of this.#owners) {
      this.#owners.delete(oldest);
      owner.forget(oldest);
      return;
    }
  }
}

export class EventRing {
  readonly #memory: EventMemory;
  readonly #events = new Set<ClusterEvent>();
  readonly #completeSinceNs: number;
  #hasLost = false;

  /** `completeSinceNs`: from when on every event gets here. */
  constructor(memory: EventMemory, completeSinceNs: number) {
    this.#memory = memory;
    this.#completeSinceNs = completeSinceNs;
  }

  push(event: ClusterEvent): void {
    this.#events.add(event);
    this.#memory.keep(event, this);
  }

  /** Called with its oldest one. */
  forget(event: ClusterEvent): void {
    this.#events.delete(event);
    this.#hasLost = true;
  }

  /** Whether no event at or after `sinceNs` is missing here. */
  covers(sinceNs: number): boolean {
    if (!this.#hasLost) return this.#completeSinceNs <= sinceNs;
    for (const oldest of this.#events) return oldest.timeNano < sinceNs;
    return false;
  }

  /** In the order they came, both ends included. */
  between(sinceNs: number, untilNs: number): readonly ClusterEvent[] {
    return [...this.#events].filter(({ timeNano }) => timeNano >= sinceNs && timeNano <= untilNs);
  }
}
