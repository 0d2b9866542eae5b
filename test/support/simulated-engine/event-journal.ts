// The events of one engine: a ring of the last 256 for replay, and the live subscribers. Times rise strictly,
// so that every event has its own.

export interface EngineEvent {
  readonly type: string;
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeNano: bigint;
}

export type EventFacts = Omit<EngineEvent, 'timeNano'>;

const ringLength = 256;

export class EventJournal {
  readonly #clockSkewMs: number;
  readonly #ring: EngineEvent[] = [];
  readonly #subscribers = new Set<(event: EngineEvent) => void>();
  #lastNano = 0n;
  #toLose = 0;

  constructor(clockSkewMs: number) {
    this.#clockSkewMs = clockSkewMs;
  }

  /** Nanoseconds since the epoch on this engine's clock; later than every time given before. */
  nowNano(): bigint {
    const now = BigInt(Date.now() + this.#clockSkewMs) * 1_000_000n;
    this.#lastNano = now > this.#lastNano ? now : this.#lastNano + 1n;
    return this.#lastNano;
  }

  publish(facts: EventFacts): void {
    const event: EngineEvent = { ...facts, timeNano: this.nowNano() };
    if (this.#toLose > 0) {
      this.#toLose--;
      return;
    }
    this.#ring.push(event);
    if (this.#ring.length > ringLength) this.#ring.shift();
    for (const subscriber of [...this.#subscribers]) subscriber(event);
  }

  /** The kept events of that span, both ends included, oldest first. */
  replay(sinceNano: bigint, untilNano: bigint): readonly EngineEvent[] {
    return this.#ring.filter(({ timeNano }) => timeNano >= sinceNano && timeNano <= untilNano);
  }

  /** Returns what ends the subscription. */
  subscribe(subscriber: (event: EngineEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** The next `count` events are neither sent nor kept. */
  lose(count: number): void {
    this.#toLose += count;
  }
}

/** The event as the wire of that API version carries it, without line end. `timeNano` is too big for a JavaScript number. */
export function eventText(event: EngineEvent, withLegacyFields: boolean): string {
  const actor = { ID: event.id, Attributes: event.attributes };
  const image = event.type === 'container' ? event.attributes['image'] : undefined;
  const legacy = withLegacyFields ? { status: event.action, id: event.id, ...(image && { from: image }) } : {};
  const body = { ...legacy, Type: event.type, Action: event.action, Actor: actor, scope: 'local' };
  const time = event.timeNano / 1_000_000_000n;
  return `${JSON.stringify(body).slice(0, -1)},"time":${String(time)},"timeNano":${String(event.timeNano)}}`;
}
