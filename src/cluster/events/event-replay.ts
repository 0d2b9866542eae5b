// The events of the past. A ring that reaches back far enough is used; otherwise the engine is asked, and the ring
// stands in for what an engine does not tell in time.
import { sleep } from '../../common/abort.ts';
import { compareText } from '../../common/compare-text.ts';
import { readLines } from '../../common/ndjson.ts';
import { formatUnixTimestamp } from '../../docker/docker-time.ts';
import { parseEventLine } from '../../docker/event-line.ts';
import type { DockerEvent } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import { eventKey } from './cluster-event.ts';
import type { ClusterEvent } from './cluster-event.ts';
import type { EventRing } from './event-ring.ts';

export interface ReplayOptions {
  readonly sources: readonly { readonly engine: Engine; readonly ring: EventRing }[];
  /** Rings without an engine to ask. */
  readonly rings: readonly EventRing[];
  readonly mark: (engine: Engine, event: DockerEvent) => ClusterEvent;
  readonly fromNs: bigint;
  readonly untilNs: bigint | undefined;
  readonly signal: AbortSignal;
}

const deadlineMs = 2_000;
/** An engine remembers 256 events; more come only from something that is not one. */
const maxFromEngine = 4_096;

/** In the order of their times, both ends included; of two events at the same time, the one of the first node in name. */
export async function replayEvents(options: ReplayOptions): Promise<readonly ClusterEvent[]> {
  const { sources, rings, fromNs, untilNs } = options;
  const from = Number(fromNs);
  const until = untilNs === undefined ? Infinity : Number(untilNs);
  const asked = sources.filter(({ ring }) => !ring.covers(from));
  const answers = await Promise.all(asked.map(({ engine }) => askEngine(engine, options)));
  const kept = [...sources.map(({ ring }) => ring), ...rings].flatMap((ring) => ring.between(from, until));
  const events = new Map([...answers.flat(), ...kept].map((event) => [eventKey(event), event]));
  return [...events.values()].sort((a, b) => a.timeNano - b.timeNano || compareText(a.node.Name, b.node.Name));
}

/** Resolves within the deadline with what the engine told until then. */
async function askEngine(engine: Engine, options: ReplayOptions): Promise<readonly ClusterEvent[]> {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const events: ClusterEvent[] = [];
  try {
    await Promise.race([collect(engine, options, events, signal), sleep(deadlineMs, signal)]);
  } catch {
    // What was told before the failure counts; the ring holds the rest.
  } finally {
    over.abort();
  }
  return [...events];
}

async function collect(
  engine: Engine,
  { fromNs, untilNs, mark }: ReplayOptions,
  events: ClusterEvent[],
  signal: AbortSignal,
): Promise<void> {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const until = untilNs === undefined || untilNs > nowNs ? nowNs : untilNs;
  const query = { since: formatUnixTimestamp(fromNs), until: formatUnixTimestamp(until) };
  const stream = await engine.client.stream({ method: 'GET', path: '/events', query, signal, timeoutMs: deadlineMs });
  try {
    for await (const line of readLines(stream.body)) {
      const event = parseEventLine(line);
      if (event !== undefined) events.push(mark(engine, event));
      if (signal.aborted || events.length >= maxFromEngine) return;
    }
  } finally {
    stream.close();
  }
}
