// One Docker engine in this process, over a real socket: stateful, light enough for a thousand of them, and made to
// fail on demand. It has no timers of its own; what a request starts ends with its connection.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ApiError, badRequest, errorMessage } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import { Call } from './call.ts';
import type { ReceivedRequest } from './call.ts';
import { createContainer, seedContainers } from './container-creation.ts';
import { inspectJson, listRowText } from './container-documents.ts';
import { exitContainer, printOutput, removeContainer, startContainer } from './container-lifecycle.ts';
import { EngineState } from './engine-state.ts';
import { Faults } from './faults.ts';
import { digestOf } from './image-reference.ts';
import type { JsonObject } from './json.ts';
import type { ContainerRecord, ImageRecord, NetworkRecord, PluginRecord, VolumeRecord } from './records.ts';
import { Router } from './router.ts';
import { buildRoutes } from './routes-build.ts';
import { containerStreamRoutes } from './routes-container-streams.ts';
import { containerRoutes } from './routes-containers.ts';
import { execRoutes } from './routes-exec.ts';
import { imageRoutes } from './routes-images.ts';
import { networkRoutes } from './routes-networks.ts';
import { pluginRoutes } from './routes-plugins.ts';
import { swarmRoutes } from './routes-swarm.ts';
import { SwarmMembers } from './swarm-members.ts';
import { systemRoutes } from './routes-system.ts';
import { volumeRoutes } from './routes-volumes.ts';

export interface SimulatedEngineOptions {
  readonly name: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: one that is free. */
  readonly port?: number;
  /** Default: made from the name, so that an engine started again is the same engine. */
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Default 4. */
  readonly cpus?: number;
  /** Default 8 GiB. */
  readonly memoryBytes?: number;
  /** The newest version spoken; default 1.41. */
  readonly apiVersion?: string;
  /** The oldest version spoken; default 1.24. */
  readonly minApiVersion?: string;
  /** Default busybox:latest. */
  readonly images?: readonly string[];
  /** So many running containers from the start, named NAME-seed-1 and so on. */
  readonly seedContainers?: number;
  /** The create body of the seeded containers; the default names the first image only. */
  readonly seedBody?: JsonObject;
  /** How far this engine's clock is ahead. */
  readonly clockSkewMs?: number;
  /** Shared by the engines that can be members of one swarm; by default the engine is alone. */
  readonly swarms?: SwarmMembers;
}

export interface DirectContainer {
  readonly name?: string;
  readonly image?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Default true. */
  readonly running?: boolean;
  /** Further fields of the create body. */
  readonly body?: JsonObject;
}

const router = new Router([
  ...systemRoutes,
  ...containerRoutes,
  ...containerStreamRoutes,
  ...execRoutes,
  ...imageRoutes,
  ...buildRoutes,
  ...networkRoutes,
  ...pluginRoutes,
  ...swarmRoutes,
  ...volumeRoutes,
]);

const keptRequests = 256;

/** Resolves when the engine accepts connections. */
export async function startSimulatedEngine(options: SimulatedEngineOptions): Promise<SimulatedEngine> {
  const engine = new SimulatedEngine(options);
  await engine.listen();
  return engine;
}

export class SimulatedEngine {
  readonly name: string;
  readonly id: string;
  readonly faults: Faults;
  /** What was received lately, oldest first. */
  readonly requests: ReceivedRequest[] = [];
  readonly #state: EngineState;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  readonly #firstImage: string;
  #port: number;
  #server: Server | undefined;

  constructor(options: SimulatedEngineOptions) {
    this.name = options.name;
    this.id = options.id ?? defaultId(options.name);
    this.#host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 0;
    this.#state = new EngineState({
      name: options.name,
      id: this.id,
      labels: options.labels ?? {},
      cpus: options.cpus ?? 4,
      memoryBytes: options.memoryBytes ?? 8 * 1024 ** 3,
      apiVersion: options.apiVersion ?? '1.41',
      minApiVersion: options.minApiVersion ?? '1.24',
      clockSkewMs: options.clockSkewMs ?? 0,
      swarms: options.swarms ?? new SwarmMembers(),
    });
    const images = options.images ?? ['busybox:latest'];
    for (const reference of images) this.#state.addImage(reference);
    this.#firstImage = images[0] ?? 'busybox:latest';
    const seeds = options.seedContainers ?? 0;
    if (seeds > 0) seedContainers(this.#state, seeds, { Image: this.#firstImage, ...options.seedBody });
    this.faults = new Faults({
      endEventStreams: () => {
        for (const end of [...this.#state.eventStreams]) end();
      },
      loseEvents: (count) => {
        this.#state.journal.lose(count);
      },
      closeListener: () => this.stop(),
      openListener: () => this.listen(),
      freeze: () => {
        this.#state.gate.freeze();
      },
      thaw: () => {
        this.#state.gate.thaw();
      },
    });
  }

  /** "host:port"; the port stays the same for the life of the engine. */
  get address(): string {
    return `${this.#host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** By full id. */
  get containers(): ReadonlyMap<string, ContainerRecord> {
    return this.#state.containers;
  }

  /** By full id. */
  get images(): ReadonlyMap<string, ImageRecord> {
    return this.#state.images;
  }

  /** By full id. */
  get networks(): ReadonlyMap<string, NetworkRecord> {
    return this.#state.networks;
  }

  /** By name. */
  get volumes(): ReadonlyMap<string, VolumeRecord> {
    return this.#state.volumes;
  }

  /** By name. */
  get plugins(): ReadonlyMap<string, PluginRecord> {
    return this.#state.plugins;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** How many event streams are open. */
  get eventStreams(): number {
    return this.#state.eventStreams.size;
  }

  /** By id, name or id prefix; undefined when there is none. */
  findContainer(reference: string): ContainerRecord | undefined {
    return this.#state.findContainer(reference);
  }

  /** The container's process ends by itself, with dockerd's events, restart policy and automatic removal. */
  exit(reference: string, exitCode: number): void {
    exitContainer(this.#state, this.#state.container(reference), exitCode);
  }

  /** The container's process writes to its output. */
  print(reference: string, text: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    printOutput(this.#state, this.#state.container(reference), { stream, bytes: Buffer.from(text) });
  }

  /** As `docker run` on the engine's own machine would. */
  createDirectly({ name = '', image, labels, running = true, body }: DirectContainer = {}): ContainerRecord {
    const fullBody = { Image: image ?? this.#firstImage, ...(labels && { Labels: labels }), ...body };
    const container = createContainer(this.#state, { name, body: fullBody });
    if (running) startContainer(this.#state, container);
    return container;
  }

  /** As `docker rm -f` on the engine's own machine would. */
  removeDirectly(reference: string): void {
    removeContainer(this.#state, this.#state.container(reference), { force: true, withVolumes: false });
  }

  /** Makes the answers about containers beforehand, lest the first to ask be served more slowly than the next. */
  prepareAnswers(): void {
    for (const container of this.#state.containers.values()) {
      listRowText(this.#state, container);
      inspectJson(this.#state, container, this.#state.settings.apiVersion);
    }
  }

  /** Does nothing when it listens already. */
  async listen(): Promise<void> {
    if (this.#server) return;
    const server = createServer({
      requireHostHeader: false,
      maxHeaderSize: 4 * 1024 * 1024,
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
      connectionsCheckingInterval: 24 * 60 * 60 * 1000,
    });
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#receive(request, { response });
    });
    server.on('upgrade', (request, socket, upgradeHead) => {
      socket.on('error', () => socket.destroy());
      this.#receive(request, { upgradeHead });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#host, 512, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#port = listeningPort(server.address());
  }

  /** Closes the listener and all connections. What the engine remembers stays; `listen` takes it up again. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) =>
      server.close(() => {
        resolve();
      }),
    );
    this.#state.gate.forget();
    for (const socket of [...this.#sockets]) socket.destroy();
    await closed;
  }

  /** Those on which no request is under way. */
  closeIdleConnections(): void {
    this.#server?.closeIdleConnections();
  }

  #receive(
    request: IncomingMessage,
    connection: { readonly response?: ServerResponse; readonly upgradeHead?: Buffer },
  ): void {
    const received = toReceived(request);
    this.requests.push(received);
    if (this.requests.length > keptRequests) this.requests.shift();
    const version = /^\/v(\d[\d.]*)\//.exec(request.url ?? '')?.[1] ?? this.#state.settings.apiVersion;
    const call = new Call({ ...connection, state: this.#state, request, received, version });
    this.#state.gate.run(() => {
      this.#answer(call).catch((error: unknown) => {
        answerError(call, error);
      });
    });
  }

  async #answer(call: Call): Promise<void> {
    for (const fault of this.faults.take(call.received)) {
      if (fault.kind === 'hang') return;
      if (fault.kind === 'delay') await call.sleep(fault.ms);
      if (fault.kind === 'fail') throw new ApiError(fault.status, fault.message);
      if (fault.kind === 'cut') {
        if (!fault.afterWork) {
          await call.readBody();
          call.socket.destroy();
          return;
        }
        call.mute();
      }
    }
    await this.#handle(call);
  }

  async #handle(call: Call): Promise<void> {
    const { path, method } = call.received;
    if (path.includes('//')) {
      call.empty(301, { Location: path.replaceAll(/\/+/g, '/') });
      return;
    }
    requireVersion(call);
    if (method === 'OPTIONS') {
      call.empty(200);
      return;
    }
    const found = router.find(method, path);
    if (!found) throw new ApiError(404, 'page not found');
    await found.handler(this.#state, call, found.name);
  }
}

function toReceived(request: IncomingMessage): ReceivedRequest {
  const url = request.url ?? '/';
  const questionMark = url.indexOf('?');
  const rawPath = questionMark === -1 ? url : url.slice(0, questionMark);
  return {
    method: request.method ?? 'GET',
    url,
    path: decodePath(rawPath.replace(/^\/v\d[\d.]*(?=\/)/, '')),
    query: new URLSearchParams(questionMark === -1 ? '' : url.slice(questionMark + 1)),
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    bodyBytes: 0,
  };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function requireVersion({ state, version }: Call): void {
  const { apiVersion, minApiVersion } = state.settings;
  if (!isAtLeast(apiVersion, version)) {
    throw badRequest(`client version ${version} is too new. Maximum supported API version is ${apiVersion}`);
  }
  if (isAtLeast(version, minApiVersion)) return;
  throw badRequest(
    `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, ` +
      'please upgrade your client to a newer version',
  );
}

/** Once the answer has begun, only its end can tell that something went wrong. */
function answerError(call: Call, error: unknown): void {
  if (call.isOver) return;
  if (call.hasAnswered) {
    call.socket.destroy();
    return;
  }
  const status = error instanceof ApiError ? error.status : 500;
  call.json(status, { message: errorMessage(error) });
}

/** The form of the ids that Docker 20.10 makes: twelve groups of four letters. */
function defaultId(name: string): string {
  const digits = digestOf(`engine ${name}`).slice(7, 55);
  const letters = digits.replace(/./g, (digit) => 'ABCDEFGHIJKLMNOP'.charAt(parseInt(digit, 16)));
  return (letters.match(/.{4}/g) ?? []).join(':');
}

function listeningPort(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the simulated engine does not listen on TCP');
  return address.port;
}
