// What a placement costs: decisions a second, each as a create makes it: the body is read, a node is chosen among the
// manager's own node views and reserved, and a number of creates later the reservation is given back.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { openLocalState } from '../discovery/state/local.ts';
import { Cluster } from '../src/cluster/cluster.ts';
import { NodeView } from '../src/cluster/nodes/node-view.ts';
import { createSilentLogger } from '../src/common/logger.ts';
import type { CreateBody } from '../src/docker/types.ts';
import { openFilters } from '../src/scheduler/filters/index.ts';
import { placementRequest } from '../src/scheduler/request.ts';
import { Scheduler } from '../src/scheduler/scheduler.ts';
import { openStrategy } from '../src/scheduler/strategies/index.ts';
import { printFact } from './report.ts';
import { QuietEngine } from './quiet-engine.ts';
import { image, runBody } from './run-body.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100,1000,10000' },
    containers: { type: 'string', default: '30' },
    strategy: { type: 'string', default: 'spread' },
    seconds: { type: 'string', default: '1' },
  },
});

const service = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'front' };
const constraints = ['constraint:storage==ssd', 'constraint:zone==eu*', 'constraint:kernelversion>=5.10'];
const cases: Readonly<Record<string, CreateBody>> = {
  'without rules': runBody({}),
  'CPU and memory': runBody({ limits: { Memory: 256 * 1024 ** 2, NanoCpus: 250_000_000 } }),
  'three constraints': runBody({ environment: constraints }),
  'anti-affinity': runBody({ environment: ['affinity:container!=web*'] }),
  'copies of a service': runBody({ labels: service }),
};

/** So many creates are under way at any time. */
const underWay = 64;
const warmUps = 2_000;

printFact('machine', `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
printFact('strategy', values.strategy);
for (const count of values.nodes.split(',').map(Number)) await measureCluster(count, Number(values.containers));

async function measureCluster(nodes: number, containers: number): Promise<void> {
  const cluster = await aCluster(nodes, containers);
  for (const body of Object.values(cases)) decisionsPerSecond(cluster, body);
  console.log(`\n${nodes} nodes x ${containers} containers`);
  for (const [what, body] of Object.entries(cases)) {
    const perSecond = decisionsPerSecond(cluster, body);
    console.log(
      `  ${what.padEnd(20)} ${perSecond.toFixed(0).padStart(8)}/s ${(1e6 / perSecond).toFixed(1).padStart(9)} us`,
    );
  }
  await cluster.stop();
}

async function aCluster(nodes: number, containers: number): Promise<Cluster> {
  const { strategy } = values;
  let index = 0;
  const cluster = new Cluster({
    scheduler: new Scheduler({ filters: openFilters(), strategy: openStrategy(strategy) }),
    engineFactory: (address) => new QuietEngine(address, index++, containers),
    logger: createSilentLogger(),
    state: openLocalState({ logger: createSilentLogger() }),
  });
  const entries = Array.from({ length: nodes }, (_, member) => ({ address: `node-${member}:2375`, alive: true }));
  await cluster.follow(once(entries), new AbortController().signal);
  return cluster;
}

function decisionsPerSecond(cluster: Cluster, body: CreateBody): number {
  const reservations: (() => void)[] = [];
  for (let i = 0; i < warmUps; i += 1) decide(cluster, body, `web-${i}`, reservations);
  const startedAt = cpuSeconds();
  const wanted = Number(values.seconds);
  let decisions = 0;
  while (cpuSeconds() - startedAt < wanted) {
    for (let i = 0; i < 100; i += 1) decide(cluster, body, `web-${decisions++}`, reservations);
  }
  const seconds = cpuSeconds() - startedAt;
  for (const giveUp of reservations) giveUp();
  return decisions / seconds;
}

/** Of the whole process: what others do on the machine does not show, what the garbage collector does here does. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function decide(cluster: Cluster, body: CreateBody, name: string, reservations: (() => void)[]): void {
  const request = placementRequest(body, { name });
  const placement = cluster.placer.place(request);
  if (placement.kind === 'refused') throw new Error(placement.explanation);
  const [view] = placement.nodes;
  if (!(view instanceof NodeView)) throw new Error('a node of another cluster was chosen');
  const { nanoCpus, memoryBytes, labels } = request;
  const container = { id: `reserved ${name}`, name, image, imageId: '', labels, isActive: true, nanoCpus, memoryBytes };
  view.reserve({ container, ports: [], portsHeldUntilMs: Infinity });
  reservations.push(() => {
    view.giveUp(container.id);
  });
  if (reservations.length > underWay) reservations.shift()?.();
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield await Promise.resolve(value);
}
