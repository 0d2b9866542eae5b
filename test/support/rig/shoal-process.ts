// The product as its users run it: a manager and agents, each a process of its own with the built command line.
import { elements, text } from '../document.ts';
import { until } from '../until.ts';
import { once } from 'node:events';
import { Agent, request, type AgentOptions, type ClientRequest, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as secureConnect } from 'node:tls';
import { readIdentity, type Identity, type PemTexts } from './certificates.ts';
import { systemEnvironment } from './command.ts';
import type { RigEngine } from './engine.ts';
import { httpCall, urlOf, type HttpAnswer, type HttpCall } from './http-call.ts';
import type { Machine } from './machine.ts';
import { bridgeAddress, projectDirectory, stateDirectory, type RigKind } from './rig-kind.ts';
import { RigProcess } from './rig-process.ts';

export interface ManagerOptions {
  /** Flags of `shoal manage` besides --host and the discovery. */
  readonly args?: readonly string[];
  /** Addresses to listen on besides the rig's own, as `--host` takes them. */
  readonly listen?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where clients must use TLS: with what the rig itself asks the manager. */
  readonly tls?: Identity;
  /** Port on the rig's address; 2375 by default. */
  readonly port?: number;
  /** Tells several managers of one rig apart in logs. */
  readonly name?: string;
  /** Where it runs, instead of beside the rig. */
  readonly machine?: Machine;
}

export class RigManager {
  /** "HOST:PORT" on the rig's bridge. */
  readonly address: string;
  readonly name: string;
  readonly #kind: RigKind;
  readonly #discovery: string | undefined;
  readonly #options: ManagerOptions;
  readonly #onUnexpectedExit: ((ended: RigProcess) => void) | undefined;
  #process: RigProcess | undefined;

  /** `discovery` undefined: the manager is the registry that agents join. */
  constructor(
    kind: RigKind,
    discovery: string | undefined,
    options: ManagerOptions,
    onUnexpectedExit?: (ended: RigProcess) => void,
  ) {
    this.#kind = kind;
    this.#discovery = discovery;
    this.#options = options;
    this.#onUnexpectedExit = onUnexpectedExit;
    this.name = options.name ?? 'manager';
    this.address = `${options.machine?.address ?? bridgeAddress(kind)}:${options.port ?? 2375}`;
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Resolves when it answers; the nodes may be pending still. */
  async start(): Promise<void> {
    const { args = [], listen = [], env = {}, machine } = this.#options;
    const hosts = [`tcp://${this.address}`, ...listen].flatMap((host) => ['--host', host]);
    const program = {
      name: this.name,
      command: process.execPath,
      args: [
        commandLineScript,
        'manage',
        ...hosts,
        ...args,
        ...(this.#discovery === undefined ? [] : [this.#discovery]),
      ],
      env: { ...productEnvironment(), ...env },
      onUnexpectedExit: this.#onUnexpectedExit,
    };
    const logFile = `${stateDirectory(this.#kind)}/${this.name}.log`;
    const started = await (machine?.start(program) ?? RigProcess.start({ ...program, kind: this.#kind, logFile }));
    this.#process = started;
    await until(
      `the ${this.name} answers`,
      async () => {
        if (!started.isRunning) throw new Error(`the ${this.name} ended at once:\n${started.logTail()}`);
        return await this.#isAnswering();
      },
      20_000,
    );
  }

  /** "https://HOST:PORT" where clients must use TLS. */
  get origin(): string {
    return urlOf({ address: this.address, tls: this.#options.tls }, '');
  }

  /** What a client library needs besides the address; empty where connections are plain. */
  get pemTexts(): Partial<PemTexts> {
    return this.#options.tls ? readIdentity(this.#options.tls) : {};
  }

  /** For `request`; the caller's to destroy. */
  newAgent(options: AgentOptions): Agent {
    return this.#options.tls ? new SecureAgent({ ...options, ...this.pemTexts }) : new Agent(options);
  }

  /** Not ended yet; on a connection of its own unless an agent is given. For what `api` cannot do. */
  request(path: string, options: Pick<RequestOptions, 'method' | 'agent' | 'headers'> = {}): ClientRequest {
    const open = this.#options.tls ? secureRequest : request;
    return open(`${this.origin}${path}`, { agent: false, ...this.pemTexts, ...options });
  }

  /** A raw connection, ready for bytes. */
  async dial(): Promise<Socket> {
    const [host = '', port = ''] = this.address.split(':');
    const place = { host, port: Number(port), allowHalfOpen: true };
    if (this.#options.tls === undefined) {
      const socket = connect(place);
      await once(socket, 'connect');
      return socket;
    }
    const socket = secureConnect({ ...place, ...this.pemTexts });
    await once(socket, 'secureConnect');
    return socket;
  }

  async api(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await httpCall({ ...this.#call(method, path), ...(body === undefined ? {} : { body }) });
  }

  /** The names of the nodes that the manager calls healthy. */
  async healthyNodes(): Promise<string[]> {
    const { json } = await this.api('GET', '/info');
    return healthyNodesOf(json);
  }

  /** Among several managers: "primary", "replica of HOST:PORT", or "replica of none". */
  async role(): Promise<string> {
    const [role, primary] = elements((await this.api('GET', '/info')).json, 'SystemStatus');
    return text(role, 1) === 'primary' ? 'primary' : `replica of ${text(primary, 1)}`;
  }

  async waitUntilHealthy(nodes: number, timeoutMs = 30_000): Promise<void> {
    try {
      await until(`${nodes} nodes are healthy`, async () => (await this.healthyNodes()).length >= nodes, timeoutMs);
    } catch (error) {
      throw new Error(`the ${this.name} does not see ${nodes} healthy nodes:\n${this.#running.logTail()}`, {
        cause: error,
      });
    }
  }

  async kill(): Promise<void> {
    await this.#running.kill();
  }

  /** SIGTERM; resolves with the exit code. */
  async term(): Promise<number> {
    return await this.#running.stop(15_000);
  }

  /** Starts a dead manager, or ends a living one first; the address stays. */
  async restart(): Promise<void> {
    if (this.#process?.isRunning) await this.term();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  log(): string {
    return this.#running.log();
  }

  get #running(): RigProcess {
    if (!this.#process) throw new Error(`the ${this.name} has not been started`);
    return this.#process;
  }

  #call(method: string, path: string): HttpCall {
    return { method, url: `${this.origin}${path}`, tls: this.#options.tls };
  }

  async #isAnswering(): Promise<boolean> {
    try {
      const { status } = await httpCall({ ...this.#call('GET', '/_ping'), timeoutMs: 2_000 });
      return status === 200;
    } catch {
      return false;
    }
  }
}

/** The agent beside one engine, on that engine's machine. */
export class RigAgent {
  readonly #engine: RigEngine;
  readonly #discovery: string;
  readonly #args: readonly string[];
  readonly #onUnexpectedExit: ((ended: RigProcess) => void) | undefined;
  #process: RigProcess | undefined;

  constructor(
    engine: RigEngine,
    discovery: string,
    args: readonly string[],
    onUnexpectedExit?: (ended: RigProcess) => void,
  ) {
    this.#engine = engine;
    this.#discovery = discovery;
    this.#args = args;
    this.#onUnexpectedExit = onUnexpectedExit;
  }

  /** Resolves when the process runs; the registration follows. */
  async start(): Promise<void> {
    this.#process = await this.#engine.machine.start({
      name: 'agent',
      command: process.execPath,
      args: [
        ...[commandLineScript, 'join', '--advertise', this.#engine.address],
        ...[...this.#engine.agentArgs, ...this.#args, this.#discovery],
      ],
      env: productEnvironment(),
      onUnexpectedExit: this.#onUnexpectedExit,
    });
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false;
  }

  /** Throws when it was never started. */
  get pid(): number {
    if (!this.#process) throw new Error(`the agent on ${this.#engine.name} has not been started`);
    return this.#process.pid;
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** SIGTERM: the agent withdraws its engine. Resolves with the exit code. */
  async term(): Promise<number | undefined> {
    return await this.#process?.stop();
  }

  async restart(): Promise<void> {
    await this.term();
    await this.start();
  }

  log(): string {
    return this.#process?.log() ?? '';
  }
}

const commandLineScript = `${projectDirectory}/dist/src/main.js`;

/** Without what the user of this shell may have set for other clusters. */
function productEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(systemEnvironment()).filter(
      ([name]) => !/^(DOCKER_|SWARM_|DEBUG$|NODE_OPTIONS$|NODE_V8_COVERAGE$)/.test(name),
    ),
  );
}

/** The table of nodes in `info`: a row with a node's name, then rows with an indented key for what is known of it. */
function healthyNodesOf(info: unknown): string[] {
  const rows = typeof info === 'object' && info !== null && 'SystemStatus' in info ? info.SystemStatus : undefined;
  if (!Array.isArray(rows)) return [];
  const healthy: string[] = [];
  let name = '';
  for (const row of rows as unknown[]) {
    if (!Array.isArray(row)) continue;
    const [key, value] = row as unknown[];
    if (typeof key !== 'string') continue;
    if (/^ ?[^ ]/.test(key)) name = key.trim();
    else if (key.endsWith('└ Status') && value === 'Healthy') healthy.push(name);
  }
  return healthy;
}
