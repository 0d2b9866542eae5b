// The events of all engines as one stream: merged, marked with the node they come from, kept for those who ask for
// the past, and handed to every reader without any of them being able to hold up the rest.
import type { Filters } from '../../docker/filters.ts';
import type { DockerEvent } from '../../docker/types.ts';
import type { Engine, EngineState } from '../../engine/engine.ts';
import { eventKey, markEvent } from './cluster-event.ts';
import type { ClusterEvent } from './cluster-event.ts';
import { eventFilter } from './event-filter.ts';
import { EventQueue } from './event-queue.ts';
import { replayEvents } from './event-replay.ts';
import { EventMemory, EventRing } from './event-ring.ts';
import type { Identities } from '../nodes/identity.ts';
import { SwarmReports } from './swarm-reports.ts';

export interface EventSubscription {
  /** Nanoseconds since 1970; with neither end given only new events come. */
  readonly sinceNs?: bigint | undefined;
  /** The stream ends then; in the past: it ends with the replay. */
  readonly untilNs?: bigint | undefined;
  readonly filters: Filters;
  readonly signal: AbortSignal;
}

export interface EventHubOptions {
  readonly identities: Identities;
  /** The engines whose past can be asked for. */
  readonly engines: () => readonly Engine[];
  /** Events that a reader may be behind before it is cut off. */
  readonly maxQueued?: number;
}

/** An event of the cluster's own. */
export interface OwnEvent {
  readonly type: 'node' | 'container';
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Subscriber {
  readonly accepts: (event: DockerEvent) => boolean;
  readonly queue: EventQueue<ClusterEvent>;
}

/** setTimeout takes no more. */
const maxTimerMs = 2 ** 31 - 1;

export class EventHub {
  readonly #options: EventHubOptions;
  readonly #rings = new Map<Engine, EventRing>();
  readonly #memory = new EventMemory();
  readonly #ownRing = new EventRing(this.#memory, nowNs());
  readonly #subscribers = new Set<Subscriber>();
  readonly #connected = new Map<Engine, boolean>();
  #isStopped = false;

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  /**
   * The events from now on, after those of the past that were asked for. Nothing is lost between this call and the
   * first read. Ends when `signal` aborts, at `untilNs`, or when the hub stops; throws when the reader is too slow.
   */
  subscribe(subscription: EventSubscription): AsyncIterable<ClusterEvent> {
    const { sinceNs, untilNs, filters, signal } = subscription;
    const accepts = eventFilter(filters);
    const queue = new EventQueue<ClusterEvent>(this.#options.maxQueued ?? 8192);
    const subscriber = { accepts, queue };
    if (!this.#isStopped) this.#subscribers.add(subscriber);
    const leave = (): void => {
      this.#subscribers.delete(subscriber);
      queue.end();
    };
    if (signal.aborted || this.#isStopped) leave();
    else signal.addEventListener('abort', leave, { once: true });
    const from = sinceNs ?? (untilNs === undefined ? undefined : 0n);
    return this.#read({ queue, accepts, leave, signal, fromNs: from, untilNs });
  }

  /** Takes an event of an engine whose effect its mirror shows. */
  publish(engine: Engine, event: DockerEvent): void {
    const marked = this.#mark(engine, event);
    this.#ring(engine).push(marked);
    this.#send(marked);
  }

  /** Tells readers that an engine was connected or lost. */
  stateChanged(engine: Engine, state: EngineState, reason?: string): void {
    const wasConnected = this.#connected.get(engine);
    const isConnected = state === 'healthy';
    if (wasConnected === isConnected || (wasConnected === undefined && !isConnected)) return;
    this.#connected.set(engine, isConnected);
    if (isConnected) this.#ring(engine);
    const reached = wasConnected === undefined ? 'engine_connect' : 'engine_reconnect';
    this.#tell(engine, isConnected ? reached : 'engine_disconnect', reason);
  }

  /** Tells readers what the cluster itself does about something of `engine`. */
  announce(engine: Engine, { type, action, id, attributes }: OwnEvent): void {
    const timeNano = nowNs();
    const event = this.#mark(engine, {
      status: action,
      id,
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'swarm',
      time: Math.floor(timeNano / 1e9),
      timeNano,
    });
    this.#ownRing.push(event);
    this.#send(event);
  }

  engineLeft(engine: Engine): void {
    if (this.#connected.get(engine) === true) this.#tell(engine, 'engine_disconnect', 'the engine left the cluster');
    this.#connected.delete(engine);
    this.#rings.delete(engine);
  }

  /** Ends every subscription. */
  stop(): void {
    this.#isStopped = true;
    for (const { queue } of this.#subscribers) queue.end();
    this.#subscribers.clear();
  }

  async *#read(reading: Reading): AsyncGenerator<ClusterEvent, void, undefined> {
    const { queue, accepts, leave, signal, fromNs, untilNs } = reading;
    const timer = untilNs === undefined ? undefined : endAt(untilNs, queue);
    const reports = new SwarmReports();
    try {
      const replayed = new Set<string>();
      if (fromNs !== undefined) {
        for (const event of await this.#replay(fromNs, untilNs, signal)) {
          replayed.add(eventKey(event));
          if (accepts(event) && !reports.isRepeated(event)) yield event;
        }
      }
      const lastNs = untilNs === undefined ? Infinity : Number(untilNs);
      for await (const event of queue.read()) {
        const isRepeated = replayed.size > 0 && replayed.delete(eventKey(event));
        if (!isRepeated && event.timeNano <= lastNs && !reports.isRepeated(event)) yield event;
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      leave();
    }
  }

  #replay(fromNs: bigint, untilNs: bigint | undefined, signal: AbortSignal): Promise<readonly ClusterEvent[]> {
    const engines = new Set(this.#options.engines());
    const sources = [...engines].map((engine) => ({ engine, ring: this.#ring(engine) }));
    const silent = [...this.#rings].filter(([engine]) => !engines.has(engine));
    return replayEvents({
      sources,
      rings: [this.#ownRing, ...silent.map(([, ring]) => ring)],
      mark: (engine, event) => this.#mark(engine, event),
      fromNs,
      untilNs,
      signal,
    });
  }

  #tell(engine: Engine, action: string, reason: string | undefined): void {
    const { id, name } = this.#options.identities.of(engine);
    const attributes = { name, ...(reason === undefined ? {} : { reason }) };
    this.announce(engine, { type: 'node', action, id, attributes });
  }

  #mark(engine: Engine, event: DockerEvent): ClusterEvent {
    return markEvent(event, engine, this.#options.identities.of(engine));
  }

  #send(event: ClusterEvent): void {
    for (const { accepts, queue } of this.#subscribers) if (accepts(event)) queue.push(event);
  }

  #ring(engine: Engine): EventRing {
    let ring = this.#rings.get(engine);
    if (ring === undefined) this.#rings.set(engine, (ring = new EventRing(this.#memory, nowNs())));
    return ring;
  }
}

interface Reading {
  readonly queue: EventQueue<ClusterEvent>;
  readonly accepts: (event: DockerEvent) => boolean;
  readonly leave: () => void;
  readonly signal: AbortSignal;
  readonly fromNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
}

function endAt(untilNs: bigint, queue: EventQueue<ClusterEvent>): NodeJS.Timeout | undefined {
  const ms = Number(untilNs / 1_000_000n) - Date.now();
  if (ms <= 0) {
    queue.end();
    return undefined;
  }
  return ms > maxTimerMs
    ? undefined
    : setTimeout(() => {
        queue.end();
      }, ms);
}

function nowNs(): number {
  return Date.now() * 1e6;
}
