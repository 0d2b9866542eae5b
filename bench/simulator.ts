// The process of the simulated engines: each listens on a loopback address of its own, all on Docker's port. It is
// driven by messages from its parent and ends with it.
import { startSimulatedEngine } from '../test/support/simulated-engine/simulated-engine.ts';
import type { SimulatedEngine } from '../test/support/simulated-engine/simulated-engine.ts';
import { nodeName, nowMs } from './fleet-messages.ts';
import type { FleetAnswer, FleetPlan, FleetRequest } from './fleet-messages.ts';

const enginePort = 2375;
const engines: SimulatedEngine[] = [];

process.on('message', (request: FleetRequest) => {
  answer(request)
    .catch((error: unknown): FleetAnswer => ({ atMs: nowMs(), error: String(error) }))
    .then((message) => process.send?.(message))
    .catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));

async function answer(request: FleetRequest): Promise<FleetAnswer> {
  const atMs = nowMs();
  switch (request.kind) {
    case 'start':
      await startEngines(request.plan);
      return { atMs, addresses: engines.map(({ address }) => address) };
    case 'create':
      engines[request.node - 1]?.createDirectly({ name: request.name });
      return { atMs };
    case 'hang':
      for (const engine of engines.slice(0, request.count)) engine.faults.freeze();
      return { atMs };
  }
}

async function startEngines({ nodes, containers }: FleetPlan): Promise<void> {
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
