// One Docker engine: its connection, its state and its mirror. pending until it has been read completely, then
// healthy or unhealthy as it answers or not, gone when it was stopped.
import type http from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { errorMessage } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { minApiVersion } from '../docker/api-version.ts';
import type { DockerEvent, EngineInfo, EngineVersion } from '../docker/types.ts';
import { noFacts, type AnnouncedFacts } from './announced-facts.ts';
import { Admission } from './admission.ts';
import type { EngineChange, EngineListener, EngineState } from './change.ts';
import { EngineClient } from './client.ts';
import { createEngineAgent } from './engine-agent.ts';
import type { EngineTls } from './engine-agent.ts';
import { apiVersionRange, contradictsInfo, engineLabels, lastingInfo, splitAddress } from './engine-identity.ts';
import type { ApiVersionRange } from './engine-identity.ts';
import { Health } from './health.ts';
import { EngineMirror } from './mirror.ts';
import type { Mirror } from './mirror.ts';
import { Probe } from './probe.ts';
import { EngineSync } from './sync.ts';
import { defaultTimings } from './timings.ts';
import type { EngineTimings } from './timings.ts';
import type { AssertMayWrite } from './write-permit.ts';

export type { EngineChange, EngineState } from './change.ts';

export interface EngineOptions {
  /** "host:port" as announced. */
  readonly address: string;
  readonly logger: Logger;
  /** Those not given have their defaults. */
  readonly timings?: Partial<EngineTimings> | undefined;
  readonly tls?: EngineTls | undefined;
  /** Shared by engines that are read at the same time; by default the engine has its own. */
  readonly admission?: Admission | undefined;
  /** Where several managers share the engines; absent: every change may be made, by this one alone. */
  readonly assertMayWrite?: AssertMayWrite | undefined;
}

/** Where requests to this engine are forwarded, through the pool that our own calls use. */
export interface EngineEndpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly agent: http.Agent;
  readonly tls?: EngineTls;
  /** The pool asks by itself; who dials without it asks before it sends a change. */
  readonly assertMayWrite?: AssertMayWrite;
}

export class Engine {
  readonly address: string;
  /** The host of the address, where published ports of the engine's containers are reached. */
  readonly host: string;
  readonly client: EngineClient;
  readonly #port: number;
  readonly #agent: http.Agent;
  readonly #tls: EngineTls | undefined;
  readonly #assertMayWrite: AssertMayWrite | undefined;
  readonly #logger: Logger;
  readonly #tasks: TaskSet;
  readonly #health: Health;
  readonly #listeners = new Set<EngineListener>();
  readonly #mirror: EngineMirror;
  readonly #sync: EngineSync;
  readonly #probe: Probe;
  #state: EngineState = 'pending';
  #isStarted = false;
  #hasAnswered = false;
  #info: EngineInfo | undefined;
  #announced = noFacts;
  #isVouchedFor = true;
  #labels: Readonly<Record<string, string>> | undefined;
  #version: EngineVersion | undefined;
  #updatedAt: Date | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    const { address, logger, timings: given, tls, admission = new Admission() } = options;
    const { host, port } = splitAddress(address);
    const timings = { ...defaultTimings, ...given };
    this.address = address;
    this.host = host;
    this.#port = port;
    this.#tls = tls;
    this.#health = new Health(timings.failuresUntilUnhealthy);
    this.#logger = logger.child({ engine: address });
    this.#tasks = new TaskSet(this.#logger);
    this.#assertMayWrite = options.assertMayWrite;
    this.#agent = createEngineAgent(tls, this.#assertMayWrite);
    const name = (): string => this.name;
    const { signal } = this.#tasks;
    const { requestTimeoutMs } = timings;
    this.client = new EngineClient({
      ...{ host, port, agent: this.#agent, tls, name, signal, requestTimeoutMs },
      space: admission.space,
    });
    this.#mirror = new EngineMirror((change) => {
      this.#updatedAt = new Date();
      this.#tell(change);
    });
    this.#sync = this.#createSync(timings, admission);
    this.#probe = this.#createProbe(timings);
  }

  get state(): EngineState {
    return this.#state;
  }

  /** True once it has answered anything: from then on it is slow at worst, and not silent. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** The engine's own name; its address until that is known. */
  get name(): string {
    return this.#info?.Name ?? this.address;
  }

  /** The id of the node, or the engine's own where no agent has told one; '' until it is known. Cloned machines have equal ones. */
  get id(): string {
    return this.#announced.id === '' ? (this.#info?.ID ?? '') : this.#announced.id;
  }

  /** False while discovery says that nobody announces it as alive. */
  get isVouchedFor(): boolean {
    return this.#isVouchedFor;
  }

  /** What the agent beside the engine says; the object stays the same until it says something else. */
  get announced(): AnnouncedFacts {
    return this.#announced;
  }

  /**
   * As last read, at most a minute old while the engine is healthy, but for its counters and clocks: the object stays
   * the same while nothing else changes.
   */
  get info(): EngineInfo | undefined {
    return this.#info;
  }

  get version(): EngineVersion | undefined {
    return this.#version;
  }

  /** The versions that the engine serves; the oldest alone until they are known. */
  get apiVersion(): ApiVersionRange {
    return this.#version === undefined ? { min: minApiVersion, max: minApiVersion } : apiVersionRange(this.#version);
  }

  /** The engine's and those of the agent. */
  get labels(): Readonly<Record<string, string>> {
    return (this.#labels ??= { ...engineLabels(this.#info), ...this.#announced.labels });
  }

  /** Why the engine is not healthy, or what last went wrong; undefined while all is well. */
  get lastError(): string | undefined {
    return this.#health.lastError;
  }

  /** When the mirror was last known to be current. */
  get updatedAt(): Date | undefined {
    return this.#updatedAt;
  }

  get mirror(): Mirror {
    return this.#mirror;
  }

  get endpoint(): EngineEndpoint {
    return {
      name: this.name,
      host: this.host,
      port: this.#port,
      agent: this.#agent,
      ...(this.#tls && { tls: this.#tls }),
      ...(this.#assertMayWrite && { assertMayWrite: this.#assertMayWrite }),
    };
  }

  /** Connects, and stays connected until `stop`. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#tasks.spawn('probe', (signal) => this.#probe.run(signal));
    this.#tasks.spawn('sync', (signal) => this.#sync.run(signal));
  }

  /** Ends everything, proxied requests that use the pool included. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** What discovery says. Whether it is alive only makes us look: the engine's own answers decide. */
  setAnnounced(isAlive: boolean, facts: AnnouncedFacts): void {
    this.#isVouchedFor = isAlive;
    if (facts !== this.#announced) {
      this.#announced = facts;
      this.#labels = undefined;
      this.#tell({ kind: 'info' });
    }
    if (isAlive !== (this.#state === 'healthy')) this.#probe.doubt();
  }

  /**
   * Resolves when the mirror shows the container as it is now or newer; its record is removed when the engine has
   * it no more. Resolves too when the engine cannot be asked, or `signal` aborts. Never rejects.
   */
  async refreshContainer(id: string, signal?: AbortSignal): Promise<void> {
    await this.readContainer(id, signal);
  }

  /** The engine has said that it removed the container: it is gone, whatever becomes of the engine now. */
  containerRemoved(id: string): void {
    this.#mirror.destroyContainer(id);
  }

  /** As `refreshContainer`; false when the engine has not spoken, so that what the mirror shows may be out of date. */
  async readContainer(id: string, signal?: AbortSignal): Promise<boolean> {
    return this.#isWorthAsking() && (await this.#sync.containers.refresh(id, signal));
  }

  /** As `refreshContainer`, of the whole list. */
  async refreshImages(signal?: AbortSignal): Promise<void> {
    if (this.#isWorthAsking()) await this.#sync.lists.images.refresh(signal);
  }

  async refreshNetworks(signal?: AbortSignal): Promise<void> {
    if (this.#isWorthAsking()) await this.#sync.lists.networks.refresh(signal);
  }

  async refreshVolumes(signal?: AbortSignal): Promise<void> {
    if (this.#isWorthAsking()) await this.#sync.lists.volumes.refresh(signal);
  }

  /** As `refreshImages`, of everything that changes. */
  async refreshAll(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'healthy') return;
    await this.#sync.readAgain(signal).catch(() => undefined);
  }

  /** As `refreshImages`, of what `info` shows. */
  async refreshInfo(signal?: AbortSignal): Promise<void> {
    if (this.#isWorthAsking()) await this.#sync.lists.info.refresh(signal);
  }

  /** Calls `listener` with every change from now on, until the returned function is called or the engine is gone. */
  subscribe(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #isWorthAsking(): boolean {
    return this.#state === 'healthy' || this.#state === 'pending';
  }

  #createSync(timings: EngineTimings, admission: Admission): EngineSync {
    return new EngineSync({
      client: this.client,
      mirror: this.#mirror,
      tasks: this.#tasks,
      timings,
      admission,
      logger: this.#logger,
      onVersion: (version) => {
        this.#hasAnswered = true;
        this.#learn(version, this.#info);
      },
      onInfo: (info) => {
        this.#learn(this.#version, info);
      },
      onCurrent: () => {
        this.#updatedAt = new Date();
        this.#health.becameCurrent();
        this.#judge();
      },
      onBroken: (error) => {
        this.#logger.debug('the connection to an engine broke', { error: errorMessage(error) });
        this.#health.readFailed(error);
        this.#judge();
        this.#probe.doubt();
      },
      publish: (event) => {
        this.#publish(event);
      },
    });
  }

  #createProbe(timings: EngineTimings): Probe {
    return new Probe({
      client: this.client,
      timings,
      onSuccess: (swarm) => {
        this.#hasAnswered = true;
        this.#health.probeSucceeded();
        this.#judge();
        if (this.#state === 'healthy' && contradictsInfo(swarm, this.#info))
          this.#tasks.spawn('read info', (signal) => this.refreshInfo(signal));
      },
      onRecovery: () => {
        if (this.#state !== 'healthy') this.#sync.reconnect();
      },
      onFailure: (error) => {
        this.#health.probeFailed(error);
        this.#judge();
      },
    });
  }

  #judge(): void {
    const { verdict, lastError } = this.#health;
    if (verdict === 'undecided' || verdict === this.#state) return;
    if (verdict === 'healthy') {
      this.#enter('healthy');
      return;
    }
    this.#health.becameStale();
    this.#enter('unhealthy', lastError);
    this.#sync.abandon();
  }

  #enter(state: EngineState, reason?: string): void {
    const previous = this.#state;
    if (previous === 'gone' || previous === state) return;
    this.#state = state;
    const why = reason === undefined ? {} : { reason };
    this.#logger.info('the state of an engine changed', { name: this.name, previous, state, ...why });
    this.#tell({ kind: 'state', previous, state, ...why });
  }

  #learn(version: EngineVersion | undefined, info: EngineInfo | undefined): void {
    const isSame =
      isDeepStrictEqual(this.#version, version) && isDeepStrictEqual(lastingInfo(this.#info), lastingInfo(info));
    if (isSame) return;
    this.#version = version;
    this.#info = info;
    this.#labels = undefined;
    this.#tell({ kind: 'info' });
  }

  #publish(event: DockerEvent): void {
    this.#tell({ kind: 'event', event });
  }

  #tell(change: EngineChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#logger.error('a follower of an engine failed', { change: change.kind, error: errorMessage(error) });
      }
    }
  }

  async #stop(): Promise<void> {
    this.#enter('gone');
    this.#listeners.clear();
    this.#sync.abandon();
    this.client.close();
    this.#agent.destroy();
    await this.#tasks.stop();
    this.#agent.destroy();
  }
}
