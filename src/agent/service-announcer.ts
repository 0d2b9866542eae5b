// Keeps the services of an engine's containers in the store as the engine has its containers: looked at once, then by its
// events, and all anew now and then. An engine that is silent changes nothing; its own announcement tells of that.
import type { DiscoveryBackend, PublishedService } from '../../discovery/backend.ts';
import { TroubleLog } from '../../discovery/trouble-log.ts';
import { sleep } from '../common/abort.ts';
import { Backoff } from '../common/backoff.ts';
import { Deadline, pause } from '../common/deadline.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { containerServices } from './container-services.ts';
import type { EngineView } from './engine-view.ts';

export interface ServiceAnnouncerOptions {
  /** `host:port` under which the engine is announced. */
  readonly address: string;
  /** Where others reach what the node publishes. */
  readonly nodeHost: string;
  /** Absent: nothing is published, and what an earlier agent has left is taken away. */
  readonly engine: EngineView | undefined;
  readonly publish: NonNullable<DiscoveryBackend['publish']>;
  readonly logger: Logger;
}

/** Costs nothing while nothing has changed; the engine may have been announced anew. */
const publishEveryMs = 1_000;
/** A stream of events may be dead without a word. */
const lookAnewAfterMs = 5 * 60_000;
const retry = { initialMs: 500, maxMs: 10_000 };

export class ServiceAnnouncer {
  readonly #options: ServiceAnnouncerOptions;
  readonly #tasks: TaskSet;
  readonly #engineTrouble: TroubleLog;
  readonly #storeTrouble: TroubleLog;
  /** By container; undefined until all were looked at. */
  #services: ReadonlyMap<string, readonly PublishedService[]> | undefined;
  #wake = new AbortController();

  constructor(options: ServiceAnnouncerOptions) {
    this.#options = options;
    this.#tasks = new TaskSet(options.logger);
    this.#engineTrouble = new TroubleLog(options.logger, 'the engine, asked for its containers,');
    this.#storeTrouble = new TroubleLog(options.logger, 'the store of services');
  }

  start(): void {
    const { engine } = this.#options;
    if (engine) this.#tasks.spawn('follow containers', (signal) => this.#follow(engine, signal));
    else this.#services = new Map();
    this.#tasks.spawn('publish services', (signal) => this.#publish(signal));
  }

  /** What is published stays until the engine is withdrawn. May be called more than once. */
  async stop(): Promise<void> {
    await this.#tasks.stop();
  }

  async #follow(engine: EngineView, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(retry);
    while (!signal.aborted) {
      const over = new AbortController();
      const limit = new Deadline(lookAnewAfterMs, [signal, over.signal]);
      try {
        for await (const services of this.#looks(engine, limit.signal)) {
          this.#services = services;
          this.#wake.abort();
          this.#engineTrouble.succeeded();
          backoff.reset();
        }
      } catch (error) {
        if (!limit.signal.aborted) this.#engineTrouble.failed(error);
      }
      const isTimeToLookAnew = limit.signal.aborted;
      over.abort();
      limit.clear();
      if (!isTimeToLookAnew) await sleep(backoff.next(), signal);
    }
  }

  /** The services of all containers now, then after each change; ends or throws with the stream of events. */
  async *#looks(
    engine: EngineView,
    signal: AbortSignal,
  ): AsyncGenerator<ReadonlyMap<string, readonly PublishedService[]>> {
    const servicesOf = async (id: string): Promise<readonly PublishedService[]> =>
      containerServices(await engine.inspectContainer(id, signal), this.#options.nodeHost);
    // First, so that nothing happens unseen.
    const changes = await engine.openChanges(signal);
    const found = new Map<string, readonly PublishedService[]>();
    for (const id of await engine.runningContainers(signal)) found.set(id, await servicesOf(id));
    yield found;
    for await (const id of changes) {
      const services = await servicesOf(id);
      if (services.length === 0) found.delete(id);
      else found.set(id, services);
      yield found;
    }
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const { publish, address, engine } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const services = this.#services && [...this.#services.values()].flat();
      try {
        const isPublished = services !== undefined && (await publish(address, services, signal));
        this.#storeTrouble.succeeded();
        if (isPublished && !engine) return;
      } catch (error) {
        if (this.#tasks.signal.aborted) return;
        this.#storeTrouble.failed(error);
      }
      await pause(publishEveryMs, [signal, this.#wake.signal]);
    }
  }
}
