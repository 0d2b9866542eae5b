// The last events of one source, for clients that ask for what was before they came.
import type { ClusterEvent } from './cluster-event.ts';

/** As many as an engine remembers itself: with a thousand engines more would be gigabytes. */
const capacity = 256;

export class EventRing {
  readonly #events: ClusterEvent[] = [];
  readonly #completeSinceNs: number;
  #hasLost = false;

  /** `completeSinceNs`: from when on every event gets here. */
  constructor(completeSinceNs: number) {
    this.#completeSinceNs = completeSinceNs;
  }

  push(event: ClusterEvent): void {
    this.#events.push(event);
    if (this.#events.length <= capacity) return;
    this.#events.shift();
    this.#hasLost = true;
  }

  /** Whether no event at or after `sinceNs` is missing here. */
  covers(sinceNs: number): boolean {
    const oldest = this.#events[0];
    if (this.#hasLost) return oldest !== undefined && oldest.timeNano < sinceNs;
    return this.#completeSinceNs <= sinceNs;
  }

  /** In the order they came, both ends included. */
  between(sinceNs: number, untilNs: number): readonly ClusterEvent[] {
    return this.#events.filter(({ timeNano }) => timeNano >= sinceNs && timeNano <= untilNs);
  }
}
