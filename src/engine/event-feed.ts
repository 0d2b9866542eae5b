// The engine's event stream across reconnections: each subscription resumes where the last one broke, and what
// the engine repeats is dropped.
import { formatUnixTimestamp, parseRfc3339 } from '../docker/docker-time.ts';
import { parseEventLine } from '../docker/event-line.ts';
import type { DockerEvent } from '../docker/types.ts';
import { RecentMap } from '../common/recent-map.ts';
import { readLines } from '../common/ndjson.ts';
import type { EngineClient } from './client.ts';

/** As many as an engine keeps for replay. */
const maxRemembered = 256;
/** What is older by this than the last event no subscription gets again: each begins a moment before that event. */
const repeatableNs = 2e9;
/** The numbers of JSON are too coarse for nanoseconds, and events may overtake each other by a little. */
const overlapNs = 1_000_000n;

export class EventFeed {
  readonly #client: EngineClient;
  /** With the time of each. */
  readonly #seen = new RecentMap<string, number>(maxRemembered);
  #lastNano = 0;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** Subscribes; resolves when the engine has accepted, so that nothing after that is missed. */
  async open(signal: AbortSignal, timeoutMs: number): Promise<AsyncIterable<DockerEvent>> {
    const resumedFrom = this.#lastNano;
    const query: Record<string, string> = resumedFrom === 0 ? {} : { since: sinceText(resumedFrom) };
    const stream = await this.#client.stream({ method: 'GET', path: '/events', query, signal, timeoutMs });
    return this.#read(stream.body, resumedFrom);
  }

  /** The engine's clock before the first subscription, so that the second one can resume although no event came. */
  beginAt(systemTime: unknown): void {
    if (this.#lastNano !== 0 || typeof systemTime !== 'string') return;
    this.#lastNano = Number(parseRfc3339(systemTime) ?? 0n);
  }

  async *#read(body: AsyncIterable<Buffer>, resumedFrom: number): AsyncGenerator<DockerEvent> {
    for await (const line of readLines(body)) {
      const event = parseEventLine(line);
      if (event === undefined) continue;
      const isRepeated = this.#remember(event) && event.timeNano <= resumedFrom;
      if (!isRepeated) yield event;
    }
  }

  /** Whether the event was remembered already. */
  #remember(event: DockerEvent): boolean {
    const key = `${event.timeNanoDigits ?? event.timeNano} ${event.Type} ${event.Action} ${event.Actor.ID}`;
    if (this.#seen.has(key)) return true;
    this.#seen.set(key, event.timeNano);
    this.#lastNano = Math.max(this.#lastNano, event.timeNano);
    this.#seen.forgetWhile((timeNano) => timeNano < this.#lastNano - repeatableNs);
    return false;
  }
}

function sinceText(nano: number): string {
  return formatUnixTimestamp(BigInt(Math.trunc(nano)) - overlapNs);
}
