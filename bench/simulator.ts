// The process of the simulated engines: each listens on a loopback address of its own, all on Docker's port. It is
// driven by messages from its parent and ends with it.
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulatedEngine } from '../test/support/simulated-engine/simulated-engine.ts';
import type { SimulatedEngine } from '../test/support/simulated-engine/simulated-engine.ts';
import { nodeName, nowMs } from './fleet-messages.ts';
import type { FleetAnswer, FleetCall, FleetFault, FleetPlan, FleetRequest } from './fleet-messages.ts';

const enginePort = 2375;
const slowMs = 500;
const dropEveryMs = 1_000;
const engines: SimulatedEngine[] = [];

process.on('message', ({ call, request }: FleetCall) => {
  const atMs = nowMs();
  answer(request)
    .catch((error: unknown) => ({ error: String(error) }))
    .then((facts) => process.send?.({ call, atMs, ...facts } satisfies FleetAnswer))
    .catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit(0));

async function answer(request: FleetRequest): Promise<Omit<FleetAnswer, 'call' | 'atMs'>> {
  switch (request.kind) {
    case 'start':
      await startEngines(request.plan);
      return { addresses: engines.map(({ address }) => address) };
    case 'create':
      engines[request.node - 1]?.createDirectly({ name: request.name });
      return {};
    case 'remove':
      removeIfThere(engines[request.node - 1], request.name);
      return {};
    case 'fault':
      for (const engine of engines.slice(request.firstNode - 1, request.firstNode - 1 + request.count))
        await inflict(engine, request.fault);
      return {};
    case 'drop events':
      engines[request.node - 1]?.faults.dropEvents();
      return {};
    case 'restart':
      await engines[request.node - 1]?.stop();
      await delay(request.downMs);
      await engines[request.node - 1]?.listen();
      return {};
    case 'count':
      return { containers: engines.reduce((sum, { containers }) => sum + containers.size, 0) };
  }
}

function removeIfThere(engine: SimulatedEngine | undefined, name: string): void {
  if (engine?.findContainer(name) !== undefined) engine.removeDirectly(name);
}

async function inflict({ faults }: SimulatedEngine, fault: FleetFault): Promise<void> {
  switch (fault) {
    case 'hang':
      faults.freeze();
      return;
    case 'refuse':
      await faults.refuse();
      return;
    case 'slow':
      faults.delay(/./, slowMs);
      return;
    case 'drop':
      setInterval(() => {
        faults.dropEvents();
      }, dropEveryMs);
      return;
  }
}

async function startEngines({ nodes, containers, latencyMs }: FleetPlan): Promise<void> {
  for (let node = 1; node <= nodes; node++) {
    const name = nodeName(node);
    const engine = await startSimulatedEngine({
      name,
      host: hostOf(node),
      port: enginePort,
      cpus: 16,
      memoryBytes: 64 * 1024 ** 3,
      labels: { zone: `zone-${node % 3}`, storage: node % 2 === 0 ? 'ssd' : 'disk' },
      images: ['busybox:latest', 'nginx:1.27', 'redis:7', 'postgres:16'],
      seedContainers: containers,
      seedBody: seedBody(name),
    });
    engine.prepareAnswers();
    if (latencyMs > 0) engine.faults.delay(/./, latencyMs);
    engines.push(engine);
  }
}

/** A container as Compose makes it: an environment, labels and limits. */
function seedBody(name: string): Record<string, unknown> {
  return {
    Env: [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'LOG_LEVEL=info',
      `NODE_NAME=${name}`,
      ...Array.from(
        { length: 12 },
        (_, index) => `WORKER_SETTING_${index}=https://settings.example.com/worker/${index}`,
      ),
    ],
    Cmd: ['sleep', '86400'],
    Labels: {
      'bench.group': name,
      'com.docker.compose.project': 'bench',
      'com.docker.compose.service': 'worker',
      'com.docker.compose.version': '2.29.7',
    },
    HostConfig: { Memory: 64 * 1024 ** 2, NanoCpus: 50_000_000, RestartPolicy: { Name: 'unless-stopped' } },
  };
}

/** Benchmarks that run beside each other have addresses of their own. */
const network = 64 + (process.pid % 128);

function hostOf(node: number): string {
  return `127.${network}.${Math.floor(node / 250)}.${(node % 250) + 1}`;
}
