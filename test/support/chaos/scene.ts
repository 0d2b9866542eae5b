// The cluster of a chaos run: five engines with their agents, three managers and three Consul servers, each on a machine
// of its own. Found by the names that the plan has for them.
import { Machine } from '../rig/machine.ts';
import type { EngineOptions, RigEngine } from '../rig/engine.ts';
import type { RigKind } from '../rig/rig-kind.ts';
import type { RigProcess } from '../rig/rig-process.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { RigAgent, RigManager } from '../rig/shoal-process.ts';
import { StoreServers, type StoreServer } from '../rig/store-servers.ts';
import { managerNames, nodeNames, storeNames } from './plan.ts';

export interface SceneOptions {
  readonly kind: RigKind;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly onUnexpectedExit: (ended: RigProcess) => void;
}

/** What an operator might choose who wants failures noticed within seconds. */
const managerArgs: readonly string[] = [
  ...['--replication', '--replication-ttl', '8s', '--heartbeat', '1s', '--engine-failure-retry', '2'],
  ...['--reschedule-grace', '5s'],
];
const agentArgs: readonly string[] = ['--heartbeat', '1s', '--ttl', '4s'];

const firstManager = 21;
const firstStore = 31;
/** Small, so that it is full in a moment. */
const diskMiB = 128;

export class Scene {
  readonly managers: ReadonlyMap<string, RigManager>;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly #rig: Rig;
  readonly #stores: StoreServers;
  readonly #managerMachines: readonly Machine[];
  readonly #agents: ReadonlyMap<string, RigAgent>;

  /** Resolves when every manager sees every node. Leaves nothing when it rejects. */
  static async start(options: SceneOptions): Promise<Scene> {
    const { kind, say, signal, onUnexpectedExit } = options;
    const engines = nodeNames.map((_, index) => engineOptions(index));
    const needs = ['consul', 'capture'] as const;
    const rig = await startRig({ kind, engines, manager: 'none', needs, say, signal, onUnexpectedExit });
    try {
      const scene = new Scene(
        rig,
        await StoreServers.start(kind, 'consul', { count: 3, firstMachine: firstStore }),
        options,
      );
      await scene.#start();
      return scene;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  private constructor(rig: Rig, stores: StoreServers, { onUnexpectedExit }: SceneOptions) {
    this.#rig = rig;
    this.#stores = stores;
    this.#managerMachines = managerNames.map(
      (_, index) => new Machine({ kind: rig.kind, number: firstManager + index }),
    );
    this.managers = new Map(
      this.#managerMachines.map((machine, index) => {
        const name = managerNames[index] ?? '';
        const args = [...managerArgs, '--advertise', `${machine.address}:2375`];
        return [name, new RigManager(rig.kind, this.#uri(index), { name, args, machine }, onUnexpectedExit)];
      }),
    );
    this.#agents = new Map(
      rig.engines.map((engine, index) => [
        engine.name,
        new RigAgent(engine, this.#uri(index), agentArgs, onUnexpectedExit),
      ]),
    );
    this.machines = new Map([
      ...rig.engines.map(({ name, machine }) => [name, machine] as const),
      ...this.#managerMachines.map((machine, index) => [managerNames[index] ?? '', machine] as const),
      ...stores.servers.map(({ machine }, index) => [storeNames[index] ?? '', machine] as const),
    ]);
  }

  get kind(): RigKind {
    return this.#rig.kind;
  }

  get engines(): readonly RigEngine[] {
    return this.#rig.engines;
  }

  engine(name: string): RigEngine {
    return found(this.engines.find((engine) => engine.name === name));
  }

  agent(name: string): RigAgent {
    return found(this.#agents.get(name));
  }

  manager(name: string): RigManager {
    return found(this.managers.get(name));
  }

  store(name: string): StoreServer {
    return found(this.#stores.servers.find((server) => server.name === name));
  }

  machine(name: string): Machine {
    return found(this.machines.get(name));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.managers.values()].map((manager) => manager.kill().catch(() => undefined)));
    await Promise.all([...this.#agents.values()].map((agent) => agent.kill()));
    await this.#stores.stop();
    await Promise.all(this.#managerMachines.map((machine) => machine.powerOff()));
    await this.#rig.stop();
  }

  /** Each asks another server of the store first. */
  #uri(index: number): string {
    return this.#stores.uri('shoal', this.#stores.servers[index % 3]);
  }

  async #start(): Promise<void> {
    await Promise.all(this.#managerMachines.map((machine) => machine.boot()));
    await Promise.all([...this.managers.values()].map((manager) => manager.start()));
    await Promise.all([...this.#agents.values()].map((agent) => agent.start()));
    await Promise.all([...this.managers.values()].map((manager) => manager.waitUntilHealthy(this.engines.length)));
  }
}

/** The last one is reached as it is, the others through their agents alone; one is of another release, one keeps its containers alive. */
function engineOptions(index: number): EngineOptions {
  return {
    diskMiB,
    release: index === 1 ? '28.5' : '20.10',
    liveRestore: index === 2,
    ...(index === nodeNames.length - 1 ? {} : { isClosed: true }),
  };
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the plan names what the scene does not have');
  return value;
}
