// What never stops in a real cluster, at a moderate rate: containers come and go through the manager and behind its
// back, engines restart, event streams break, clients leave in the middle of an answer.
import { setTimeout as delay } from 'node:timers/promises';
import type { DockerAddress } from './docker-address.ts';
import type { Fleet } from './fleet.ts';

export interface ChurnPlan {
  readonly api: DockerAddress;
  readonly fleet: Fleet;
  readonly nodes: number;
  readonly endsAtMs: number;
}

export interface ChurnCounts {
  calls: number;
  /** 503: the engine of the container was away just then. */
  refused: number;
  restarts: number;
  brokenStreams: number;
  departures: number;
  /** Everything that should not happen. */
  readonly errors: string[];
}

const lanes = 8;
const keptErrors = 20;

/** Resolves when everything it began has ended; what it made is removed but for what could not be reached. */
export async function churn(plan: ChurnPlan): Promise<ChurnCounts> {
  const counts: ChurnCounts = { calls: 0, refused: 0, restarts: 0, brokenStreams: 0, departures: 0, errors: [] };
  const every = (ms: number, act: () => Promise<void>): Promise<void> => repeat(plan, ms, act, counts);
  const anyNode = (): number => 1 + Math.floor(Math.random() * plan.nodes);
  await Promise.all([
    ...Array.from({ length: lanes }, (_, lane) => every(100, () => liveOnce(plan, counts, lane))),
    every(250, () => liveBehindTheBack(plan, anyNode())),
    every(1_000, async () => {
      await plan.fleet.dropEvents(anyNode());
      counts.brokenStreams += 1;
    }),
    every(3_000, async () => {
      await plan.fleet.restart(anyNode(), Math.random() * 2_000);
      counts.restarts += 1;
    }),
    every(200, async () => {
      await plan.api.leave(departures[counts.departures % departures.length] ?? '/events', Math.random() * 200);
      counts.departures += 1;
    }),
  ]);
  return counts;
}

const departures = ['/containers/json?all=1', '/events', '/info', '/events?since=1', '/images/json', '/_ping'];

async function repeat(plan: ChurnPlan, ms: number, act: () => Promise<void>, { errors }: ChurnCounts): Promise<void> {
  while (Date.now() < plan.endsAtMs) {
    try {
      await act();
    } catch (error) {
      if (errors.length < keptErrors) errors.push(String(error));
    }
    await delay(ms * (0.5 + Math.random()));
  }
}

let named = 0;

/** A container is created, started, looked at and removed. */
async function liveOnce({ api }: ChurnPlan, counts: ChurnCounts, lane: number): Promise<void> {
  const call = async (method: string, path: string, body?: unknown): Promise<number> => {
    const answer = await api.call(method, path, body);
    counts.calls += 1;
    if (answer.status === 503) counts.refused += 1;
    else if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`);
    return answer.status;
  };
  const name = `churn-${process.pid}-${lane}-${(named += 1)}`;
  const created = await call('POST', `/containers/create?name=${name}`, {
    Image: 'busybox:latest',
    Cmd: ['sleep', '9'],
  });
  // Its fate is not known: the engine may have made it before it went away.
  if (created === 503) return;
  await call('POST', `/containers/${name}/start`);
  await delay(Math.random() * 2_000);
  await call('GET', `/containers/${name}/json`);
  for (let attempt = 0; attempt < 10; attempt++) {
    if ((await call('DELETE', `/containers/${name}?force=1`)) !== 503) return;
    await delay(1_000);
  }
}

async function liveBehindTheBack({ fleet }: ChurnPlan, node: number): Promise<void> {
  const name = `direct-${process.pid}-${(named += 1)}`;
  await fleet.create(node, name);
  await delay(Math.random() * 500);
  await fleet.remove(node, name);
}
