// What is measured through the API: reads of several kinds, creates at several widths, and how long an engine's own
// change takes to be listed.
import type { DockerAddress } from './docker-address.ts';
import type { Fleet } from './fleet.ts';
import { groupLabel, nodeName, nowMs } from './fleet-messages.ts';
import { measure, percentiles } from './measure.ts';
import type { Measurement } from './measure.ts';

export interface Scene {
  readonly api: DockerAddress;
  readonly nodes: number;
  readonly containers: number;
  /** Of the measured manager, so far; absent when it is not ours. */
  readonly cpuSeconds?: (() => number) | undefined;
}

const maxMs = 15_000;
/** Calls of each kind before the measured ones, so that what is measured is the manager's compiled code. */
const warmUpCalls = 100;

export async function measureReads(scene: Scene): Promise<Measurement[]> {
  const { api, nodes } = scene;
  const ids = await shortIds(scene);
  const node = (index: number): number => ((index * 7919) % nodes) + 1;
  const read = async (what: string, calls: number, path: (index: number) => string): Promise<Measurement> => {
    const plan = { what, atOnce: 1, maxMs, call: (index: number) => succeed(api, path(index)) };
    await measure({ ...plan, calls: Math.min(calls, warmUpCalls) });
    return await withCpu(scene, () => measure({ ...plan, calls }));
  };
  return [
    await read('info', 300, () => '/info'),
    await read('ps -a', 60, () => '/containers/json?all=1'),
    await read('ps by label', 300, (index) => listPath({ label: [groupLabel(node(index))] })),
    await read('ps by name', 300, (index) => listPath({ name: [`${nodeName(node(index))}-seed-1$`] })),
    await read('inspect by short id', 500, (index) => `/containers/${ids[index % ids.length]}/json`),
  ];
}

/** Creates and starts `atOnce` containers at a time, and removes them afterwards. */
export async function measureCreates(scene: Scene, atOnce: number): Promise<Measurement> {
  const { api } = scene;
  const made: string[] = [];
  const run = `${process.pid}-${Date.now()}`;
  let count = 0;
  const createAndStart = async (): Promise<void> => {
    const created = await api.json('POST', `/containers/create?name=bench-${run}-${(count += 1)}`, createBody);
    const id = (created as { readonly Id: string }).Id;
    made.push(id);
    await api.json('POST', `/containers/${id}/start`);
  };
  const plan = { what: 'create+start', atOnce, maxMs, call: createAndStart };
  await measure({ ...plan, calls: Math.max(warmUpCalls, atOnce) });
  const measurement = await withCpu(scene, () => measure({ ...plan, calls: Math.max(300, atOnce * 12) }));
  const remove = (index: number): Promise<void> =>
    api.json('DELETE', `/containers/${made[index]}?force=1`).then(() => undefined);
  await measure({ what: 'remove', atOnce: 8, calls: made.length, maxMs, call: remove });
  return measurement;
}

/** From the moment at which an engine has a new container to the answer of a list that shows it. */
export async function measureEventDelay({ api, nodes }: Scene, fleet: Fleet): Promise<Measurement> {
  const times: number[] = [];
  const startedAt = performance.now();
  const rounds = 60;
  for (let round = 0; round < rounds && performance.now() - startedAt < maxMs; round++) {
    const name = `event-${process.pid}-${Date.now()}-${round}`;
    const madeAt = await fleet.create(((round * 7919) % nodes) + 1, name);
    while (!(await isListed(api, name)) && nowMs() - madeAt < 5_000);
    times.push(nowMs() - madeAt);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const errors = times.filter((time) => time >= 5_000).length;
  const counts = { calls: times.length, errors, firstError: errors === 0 ? undefined : 'not listed within 5 s' };
  return { what: 'event to list', atOnce: 1, ...counts, ...percentiles(times), perSecond: times.length / seconds };
}

async function withCpu({ cpuSeconds }: Scene, run: () => Promise<Measurement>): Promise<Measurement> {
  if (cpuSeconds === undefined) return await run();
  const before = cpuSeconds();
  const measurement = await run();
  return { ...measurement, cpuMs: ((cpuSeconds() - before) * 1000) / Math.max(1, measurement.calls) };
}

async function isListed(api: DockerAddress, name: string): Promise<boolean> {
  const rows = await api.json('GET', listPath({ name: [name] }));
  return Array.isArray(rows) && rows.length > 0;
}

const createBody = {
  Image: 'busybox:latest',
  Cmd: ['sleep', '3600'],
  Labels: { 'bench.created': '1' },
  HostConfig: { Memory: 16 * 1024 ** 2, NanoCpus: 1_000_000 },
};

function listPath(filters: object): string {
  return `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`;
}

async function succeed(api: DockerAddress, path: string): Promise<void> {
  const { status, body } = await api.call('GET', path);
  if (status >= 400) throw new Error(`${path}: ${status} ${body.subarray(0, 200).toString('utf8')}`);
}

/** As the CLI prints them; a few hundred, spread over the nodes. */
async function shortIds({ api, nodes, containers }: Scene): Promise<readonly string[]> {
  const rows = (await api.json('GET', '/containers/json?all=1')) as readonly { readonly Id: string }[];
  const step = Math.max(1, Math.floor((nodes * containers) / 300));
  return rows.filter((_, index) => index % step === 0).map((row) => row.Id.slice(0, 12));
}
