// A whole cluster on this machine: real engines, agents, Consul, a manager and stock clients. Whatever `startRig`
// started is gone after `stop`, and what a killed rig left behind is gone before the next one of its kind starts.
import { copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Identity, IdentityOptions } from './certificates.ts';
import { Clients, type ClientOptions } from './clients.ts';
import type { CommandResult, Say } from './command.ts';
import { RigConsul, type ConsulOptions } from './consul.ts';
import { RigEngine, type EngineOptions, type EngineRelease } from './engine.ts';
import type { HttpAnswer } from './http-call.ts';
import { killMarkedProcesses, removeLeftovers } from './leftovers.ts';
import type { NameServer } from './name-server.ts';
import { startNetwork } from './network.ts';
import { acquireOwnerLock, RigInUseError, type OwnerLock } from './owner-lock.ts';
import { preparePackages, type Need } from './packages.ts';
import { kindVariable, bridgeAddress, rigKindNamed, stateDirectory, type RigKind } from './rig-kind.ts';
import type { RigProcess } from './rig-process.ts';
import { RigAgent, RigManager, type ManagerOptions } from './shoal-process.ts';
import { Trust, trustVariable, type TrustMode } from './trust.ts';

export type RigDiscovery = 'embedded' | 'consul' | 'nodes' | 'file';

export interface RigOptions {
  /** By default the test kind that the runner chose. */
  readonly kind?: RigKind;
  /** One node each; `engines[0]` is node-1. A release alone stands for an engine without further options. */
  readonly engines: readonly (EngineRelease | EngineOptions)[];
  /** How the manager learns of the engines; 'embedded' by default. 'nodes' and 'file' have no agents. */
  readonly discovery?: RigDiscovery;
  /** 'none' for engines alone: no manager, no agents. */
  readonly manager?: ManagerOptions | 'none';
  /** Flags of `shoal join` besides --advertise and the discovery. */
  readonly agentArgs?: readonly string[];
  /** What the environment asks for unless given; a rig with certificates of its own has no other trust. */
  readonly trust?: TrustMode;
  /** Consul's options; it is started for the discovery 'consul', or when this is given. */
  readonly consul?: ConsulOptions;
  /** Both versions of Compose and buildx, for the clients. */
  readonly compose?: boolean;
  /** Further programs that the test runs. */
  readonly needs?: readonly Need[];
  /** Progress; silent by default. */
  readonly say?: Say;
  /** Aborting it makes the start fail; a rig that is up is stopped by `stop` alone. */
  readonly signal?: AbortSignal;
  /** Told of a process that ended though nobody asked. */
  readonly onUnexpectedExit?: (ended: RigProcess) => void;
}

export interface Rig {
  readonly kind: RigKind;
  readonly engines: readonly RigEngine[];
  /** One beside each engine; empty for discoveries without agents, unless they open engines that are closed. */
  readonly agents: readonly RigAgent[];
  /** Throws when the rig has none. */
  readonly manager: RigManager;
  /** Throws when the rig has none. */
  readonly consul: RigConsul;
  readonly clients: Clients;
  /** Path of the file for the discovery 'file': one "HOST:PORT" a line. */
  readonly discoveryFile: string;
  /**
   * One more manager, which the caller starts and stops. `discovery` is the argument of its command line; undefined: it is the
   * registry that agents join.
   */
  newManager(discovery: string | undefined, options: ManagerOptions): RigManager;
  /** One more identity that everybody believes; rejects in a rig without trust. */
  issue(name: string, options?: IdentityOptions): Promise<Identity>;
  /** The stock client against the manager, or against the first engine of a rig without manager. */
  docker(args: readonly string[], options?: ClientOptions): Promise<CommandResult>;
  compose(version: 'v1' | 'v2', args: readonly string[], options?: ClientOptions): Promise<CommandResult>;
  /** One request to the manager. */
  api(method: string, path: string, body?: unknown): Promise<HttpAnswer>;
  /** Idempotent. Rejects, naming them, when something of the rig cannot be removed. */
  stop(): Promise<void>;
}

/** Resolves when every engine answers and the manager calls every node healthy. Leaves nothing when it rejects. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const kind = options.kind ?? rigKindNamed(process.env[kindVariable] ?? 'test');
  await preparePackages(needsOf(options), options.say ?? (() => undefined));
  const lock = await acquirePatiently(kind);
  const started = new StartedRig(kind, lock, options);
  // Whatever is being waited for then ends at once.
  const giveUp = (): void => {
    killMarkedProcesses(kind);
  };
  options.signal?.addEventListener('abort', giveUp);
  try {
    await started.start();
    options.signal?.throwIfAborted();
    return started;
  } catch (error) {
    await started.stop();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
}

/** An owner that only cleans up after a dead one, or that has just been killed, is gone in a moment. */
async function acquirePatiently(kind: RigKind): Promise<OwnerLock> {
  const deadline = performance.now() + 3_000;
  for (;;) {
    try {
      return await acquireOwnerLock(kind);
    } catch (error) {
      if (!(error instanceof RigInUseError) || performance.now() > deadline) throw error;
      await delay(100);
    }
  }
}

/** The programs that a rig with these options needs. */
function needsOf(options: RigOptions): Need[] {
  const { engines, discovery, consul, compose, needs = [] } = options;
  return [
    ...new Set<Need>([
      ...engines.map((engine) => `engine-${engineOptions(engine).release ?? '20.10'}` as const),
      ...(discovery === 'consul' || consul || hasTrust(options) ? (['consul'] as const) : []),
      ...(compose ? (['buildx', 'compose-v1', 'compose-v2'] as const) : []),
      ...needs,
    ]),
  ];
}

/** Names a folder to which the logs of every stopped rig are copied. */
export const logsVariable = 'SHOAL_RIG_LOGS';

class StartedRig implements Rig {
  readonly kind: RigKind;
  readonly engines: readonly RigEngine[];
  readonly discoveryFile: string;
  agents: readonly RigAgent[] = [];
  readonly #lock: OwnerLock;
  readonly #options: RigOptions;
  #nameServer: NameServer | undefined;
  #manager: RigManager | undefined;
  #consul: RigConsul | undefined;
  #clients: Clients | undefined;
  #trust: Trust | undefined;
  #stopped: Promise<void> | undefined;

  constructor(kind: RigKind, lock: OwnerLock, options: RigOptions) {
    this.kind = kind;
    this.#lock = lock;
    this.#options = options;
    this.discoveryFile = `${stateDirectory(kind)}/engines.txt`;
    this.engines = options.engines.map(
      (engine, index) =>
        new RigEngine(
          { kind, number: index + 1 },
          { ...engineOptions(engine), ...(hasTrust(options) && { isClosed: true }) },
          this.#onUnexpectedExit,
        ),
    );
  }

  get manager(): RigManager {
    if (!this.#manager) throw new Error('this rig has no manager');
    return this.#manager;
  }

  get consul(): RigConsul {
    if (!this.#consul) throw new Error('this rig has no Consul');
    return this.#consul;
  }

  get clients(): Clients {
    if (!this.#clients) throw new Error('this rig is not up');
    return this.#clients;
  }

  async docker(args: readonly string[], options?: ClientOptions): Promise<CommandResult> {
    return await this.clients.docker(args, options);
  }

  async compose(version: 'v1' | 'v2', args: readonly string[], options?: ClientOptions): Promise<CommandResult> {
    return await this.clients.compose(version, args, options);
  }

  async api(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await this.manager.api(method, path, body);
  }

  async start(): Promise<void> {
    await removeLeftovers(this.kind);
    mkdirSync(stateDirectory(this.kind), { recursive: true });
    this.#nameServer = await startNetwork(this.kind);
    writeFileSync(this.discoveryFile, this.engines.map((engine) => `${engine.address}\n`).join(''));
    this.#options.signal?.throwIfAborted();
    if (hasTrust(this.#options)) this.#trust = await Trust.establish(this.kind, trustNeeds(this.#options));
    await allOrThrow([this.#startEngines(), this.#startConsul()]);
    this.#options.signal?.throwIfAborted();
    if (this.#options.manager !== 'none') await this.#startManager(this.#options.manager ?? {});
    await this.#startAgents();
    await this.#manager?.waitUntilHealthy(this.engines.length);
    const address = this.#manager?.address ?? this.engines[0]?.address ?? bridgeAddress(this.kind);
    this.#clients = new Clients(this.kind, address, this.#trust?.client);
  }

  async issue(name: string, options: IdentityOptions = {}): Promise<Identity> {
    if (!this.#trust) throw new Error('this rig has no trust');
    return await this.#trust.issue(name, options);
  }

  newManager(discovery: string | undefined, options: ManagerOptions): RigManager {
    const trusted = this.#trust
      ? { ...options, args: [...this.#trust.managerArgs(discovery), ...(options.args ?? [])], tls: this.#trust.client }
      : options;
    return new RigManager(this.kind, discovery, trusted, this.#onUnexpectedExit);
  }

  async stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    await this.#stopped;
  }

  readonly #onUnexpectedExit = (ended: RigProcess): void => {
    // While starting and stopping, the step that waits for the process says what happened.
    if (this.#clients !== undefined && this.#stopped === undefined) this.#options.onUnexpectedExit?.(ended);
  };

  async #startEngines(): Promise<void> {
    const say = this.#options.say ?? (() => undefined);
    const clones = this.engines.filter((_, index) => engineOptions(this.#options.engines[index] ?? {}).sharedKey);
    // The first clone makes the identity that the others find.
    for (const engine of clones.slice(0, 1)) await engine.start();
    const started = new Set(clones.slice(0, 1));
    await allOrThrow(
      this.engines.map(async (engine) => {
        if (!started.has(engine)) await engine.start();
        await engine.loadImage();
        say(`  ${engine.name} answers on ${engine.address}`);
      }),
    );
  }

  async #startConsul(): Promise<void> {
    const { discovery, consul } = this.#options;
    if (discovery !== 'consul' && consul === undefined && this.#trust === undefined) return;
    this.#consul = new RigConsul(this.kind, { ...consul, secure: this.#trust?.consul }, this.#onUnexpectedExit);
    await this.#consul.start();
    this.#options.say?.(`  Consul answers on ${this.#consul.address}`);
  }

  async #startManager(options: ManagerOptions): Promise<void> {
    this.#manager = this.newManager(this.#discoveryArgument, options);
    await this.#manager.start();
    this.#options.say?.(`  the manager answers on ${this.#manager.address}`);
  }

  async #startAgents(): Promise<void> {
    const joined = this.#joinedByAgents;
    if (joined === undefined) return;
    this.agents = this.engines.map((engine, index) => {
      const args = [...(this.#trust?.agentArgs(index + 1, joined) ?? []), ...(this.#options.agentArgs ?? [])];
      return new RigAgent(engine, joined, args, this.#onUnexpectedExit);
    });
    await allOrThrow(
      this.agents.map(async (agent) => {
        await agent.start();
      }),
    );
  }

  get #discovery(): RigDiscovery {
    return this.#options.discovery ?? (this.#trust ? 'consul' : 'embedded');
  }

  /** What the manager is told; undefined when it is the registry itself. */
  get #discoveryArgument(): string | undefined {
    switch (this.#discovery) {
      case 'embedded':
        return undefined;
      case 'consul':
        return this.consul.url;
      case 'nodes':
        return `nodes://${this.engines.map((engine) => engine.address).join(',')}`;
      case 'file':
        return `file://${this.discoveryFile}`;
    }
  }

  get #joinedByAgents(): string | undefined {
    switch (this.#discovery) {
      case 'embedded':
        return this.#manager?.address;
      case 'consul':
        return (this.#trust ?? this.#manager) && this.consul.url;
      case 'nodes':
      case 'file':
        // Engines that are closed need their agents, wherever the manager learns of them.
        return this.#trust && this.consul.url;
    }
  }

  async #stopAll(): Promise<void> {
    try {
      await Promise.all([...this.agents.map(async (agent) => await agent.term()), this.#manager?.stop()]);
      await Promise.all([
        ...this.engines.map(async (engine) => {
          await engine.powerOff();
        }),
        this.#consul?.kill(),
      ]);
      await this.#nameServer?.stop();
      this.#saveLogs();
      await removeLeftovers(this.kind);
    } finally {
      await this.#lock.release();
    }
  }

  #saveLogs(): void {
    const target = process.env[logsVariable];
    if (target === undefined) return;
    mkdirSync(target, { recursive: true });
    const root = stateDirectory(this.kind);
    for (const place of ['.', ...this.engines.map((engine) => engine.name)]) {
      for (const file of logFiles(`${root}/${place}`)) {
        copyFileSync(`${root}/${place}/${file}`, `${target}/${place === '.' ? '' : `${place}-`}${file}`);
      }
    }
  }
}

function hasTrust({ engines, manager, trust = trustOfEnvironment() }: RigOptions): boolean {
  const isOwn = engines.some((engine) => engineOptions(engine).tls !== undefined);
  return trust === 'tls' && engines.length > 0 && !isOwn && (manager === 'none' || manager?.tls === undefined);
}

function trustOfEnvironment(): TrustMode {
  const wanted = process.env[trustVariable] ?? 'none';
  if (wanted !== 'none' && wanted !== 'tls') throw new Error(`${trustVariable} is none or tls, not ${wanted}`);
  return wanted;
}

function trustNeeds({ engines, manager }: RigOptions): { readonly engines: number; readonly hosts: readonly string[] } {
  const { listen = [] } = manager === 'none' || manager === undefined ? {} : manager;
  const hosts = listen.filter((host) => host.startsWith('tcp:')).map((host) => new URL(host).hostname);
  return { engines: engines.length, hosts: hosts.map((host) => host.replace(/^\[|\]$/g, '')) };
}

function engineOptions(engine: EngineRelease | EngineOptions): EngineOptions {
  return typeof engine === 'string' ? { release: engine } : engine;
}

function logFiles(directory: string): string[] {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(directory).filter((name) => name.endsWith('.log'));
}

/** Waits for all even when one fails, so that nothing is still starting while the rig is being stopped. */
async function allOrThrow(work: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
