// Keeps the mirror true to the engine: subscribe to events, then read everything, then follow the events and
// read everything again from time to time. Whatever breaks, the whole begins anew after a short wait.
import { setMaxListeners } from 'node:events';
import { sleep } from '../common/abort.ts';
import { Backoff } from '../common/backoff.ts';
import { errorMessage } from '../common/errors.ts';
import type { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import type { DockerEvent, EngineInfo, EngineVersion } from '../docker/types.ts';
import type { Admission } from './admission.ts';
import { Alarm } from './alarm.ts';
import { parseImageRows, parseInfo, parseNetworkRows, parseVersion, parseVolumeRows } from './answers.ts';
import type { EngineClient } from './client.ts';
import { ContainerSync } from './container-sync.ts';
import type { SyncDepth } from './container-sync.ts';
import { apiVersionRange, commonApiVersion } from './engine-identity.ts';
import { eventEffects } from './event-effects.ts';
import type { EventEffect } from './event-effects.ts';
import { EventFeed } from './event-feed.ts';
import { EventPublisher } from './event-publisher.ts';
import { ListSync } from './list-sync.ts';
import type { EngineMirror, FetchStart } from './mirror.ts';
import type { EngineTimings } from './timings.ts';

export interface SyncOptions {
  readonly client: EngineClient;
  readonly mirror: EngineMirror;
  readonly tasks: TaskSet;
  readonly timings: EngineTimings;
  readonly logger: Logger;
  /** Shared by all engines. */
  readonly admission: Admission;
  readonly onVersion: (version: EngineVersion) => void;
  readonly onInfo: (info: EngineInfo) => void;
  /** Everything has been read; again after each complete refresh. */
  readonly onCurrent: () => void;
  /** The connection is lost or an answer was an error; the next attempt follows by itself. */
  readonly onBroken: (error: unknown) => void;
  readonly publish: (event: DockerEvent) => void;
}

type ListName = 'images' | 'networks' | 'volumes' | 'info';

/** How long a reader pauses that is too far ahead of the publisher. */
const backPressurePauseMs = 20;

export class EngineSync {
  readonly containers: ContainerSync;
  readonly lists: Readonly<Record<ListName, ListSync>>;
  readonly #options: SyncOptions;
  readonly #feed: EventFeed;
  readonly #publisher: EventPublisher;
  readonly #alarm = new Alarm();
  #session: AbortController | undefined;
  #hasMissedReads = false;

  constructor(options: SyncOptions) {
    this.#options = options;
    const { client, mirror, tasks, timings, onInfo, publish } = options;
    this.containers = new ContainerSync(options);
    this.lists = {
      // Intermediate images too: containers are told by their ancestors, and those may lie between two tagged ones.
      images: this.#createList('/images/json?all=1', (body, start) => {
        mirror.setImages(parseImageRows(body), start);
      }),
      networks: this.#createList('/networks', (body, start) => {
        mirror.setNetworks(parseNetworkRows(body), start);
      }),
      volumes: this.#createList('/volumes', (body, start) => {
        mirror.setVolumes(parseVolumeRows(body), start);
      }),
      info: this.#createList('/info', (body) => {
        const info = parseInfo(body);
        this.#feed.beginAt(info['SystemTime']);
        onInfo(info);
      }),
    };
    this.#feed = new EventFeed(client);
    this.#publisher = new EventPublisher({ publish, tasks, holdMs: timings.eventHoldMs });
  }

  /** Connects again and again until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { timings, onBroken } = this.#options;
    const backoff = new Backoff({ initialMs: timings.retryMinMs, maxMs: timings.retryMaxMs });
    for (;;) {
      const startedAt = performance.now();
      const error = await this.#runSession(signal);
      if (signal.aborted) return;
      if (error instanceof Reconnection) continue;
      onBroken(error);
      // A connection that breaks as soon as it stands is no success.
      if (performance.now() - startedAt > timings.retryMaxMs) backoff.reset();
      await this.#alarm.sleep(backoff.next(), signal);
    }
  }

  /** Drops the connection, if there is one, and makes a new one at once. */
  reconnect(): void {
    this.#session?.abort(new Reconnection());
    this.#alarm.ring();
  }

  /** Reads all lists, and what is new in that of the containers. Throws when the engine does not answer. */
  async readAgain(signal: AbortSignal): Promise<void> {
    const { images, networks, volumes } = this.lists;
    await this.#options.admission.run(async () => {
      const lists = [images, networks, volumes].map((list) => list.load(signal));
      await Promise.all([...lists, this.containers.syncAll('changed', signal)]);
    }, signal);
  }

  /** Releases everyone who waits for a refresh; the engine does not answer. What they waited for is read later. */
  abandon(): void {
    this.#hasMissedReads = true;
    this.containers.abandon();
    for (const list of Object.values(this.lists)) list.abandon();
  }

  /** Resolves with what ended the session. */
  async #runSession(stopped: AbortSignal): Promise<unknown> {
    const { admission, onCurrent } = this.#options;
    const session = new AbortController();
    const { signal } = session;
    // Each container's read listens to it.
    setMaxListeners(0, signal);
    const stop = (): void => {
      session.abort();
    };
    stopped.addEventListener('abort', stop, { once: true });
    this.#session = session;
    let running: readonly Promise<void>[] = [];
    try {
      // From the first word on: a thousand engines asked in one moment would each wait for all the others.
      await admission.run(async () => {
        const events = await this.#connect(signal);
        const reading = this.#readEverything(signal).then(onCurrent);
        running = [this.#followEvents(events, signal), reading.then(() => this.#stayCurrent(signal))];
        await Promise.race([reading, ...running]);
      }, signal);
      await Promise.race(running);
      return signal.aborted ? signal.reason : new Error('the event stream ended');
    } catch (error) {
      return signal.aborted ? signal.reason : error;
    } finally {
      this.#session = undefined;
      stopped.removeEventListener('abort', stop);
      session.abort();
      await Promise.allSettled(running);
    }
  }

  async #connect(signal: AbortSignal): Promise<AsyncIterable<DockerEvent>> {
    const { client, timings, onVersion } = this.#options;
    const timeoutMs = timings.listTimeoutMs;
    const body = await client.read({ path: '/version', version: '', signal, timeoutMs });
    const version = parseVersion(body);
    onVersion(version);
    client.useVersion(commonApiVersion(apiVersionRange(version)));
    await this.lists.info.load(signal);
    return await this.#feed.open(signal, timeoutMs);
  }

  async #followEvents(events: AsyncIterable<DockerEvent>, signal: AbortSignal): Promise<void> {
    for await (const event of events) {
      this.#follow(event);
      while (this.#publisher.isFull && !signal.aborted) await sleep(backPressurePauseMs, signal);
    }
  }

  #follow(event: DockerEvent): void {
    const effects = eventEffects(event).flatMap((effect) => this.#apply(effect) ?? []);
    this.#publisher.admit(event, effects.length === 0 ? undefined : Promise.all(effects).then(() => undefined));
  }

  /** The end of the effect; undefined when it has taken place. */
  #apply(effect: EventEffect): Promise<unknown> | undefined {
    switch (effect.kind) {
      case 'destroyed':
        this.#options.mirror.destroyContainer(effect.id);
        return undefined;
      case 'container':
        return this.containers.refreshSoon(effect.id);
      case 'images':
      case 'networks':
      case 'volumes':
      case 'info':
        return this.lists[effect.kind].refreshSoon();
    }
  }

  async #stayCurrent(signal: AbortSignal): Promise<void> {
    const { timings, onCurrent } = this.#options;
    let infoReadAt = performance.now();
    for (;;) {
      await sleep(between(timings.engineRefreshMinIntervalMs, timings.engineRefreshMaxIntervalMs), signal);
      if (signal.aborted) return;
      if (this.#hasMissedReads) await this.#readEverything(signal);
      else await this.#readAll('changed', signal);
      if (performance.now() - infoReadAt >= timings.infoRefreshIntervalMs) {
        await this.#readList('info', signal);
        infoReadAt = performance.now();
      }
      onCurrent();
    }
  }

  async #readEverything(signal: AbortSignal): Promise<void> {
    this.#hasMissedReads = false;
    await this.#readAll('every', signal);
  }

  /** One after the other, over one connection: a thousand engines are read beside each other anyway. */
  async #readAll(depth: SyncDepth, signal: AbortSignal): Promise<void> {
    for (const name of ['images', 'networks', 'volumes'] as const) await this.#readList(name, signal);
    await this.containers.syncAll(depth, signal);
  }

  /** An engine with one list out of order is still of use: that list is tried again beside everything else. */
  async #readList(name: ListName, signal: AbortSignal): Promise<void> {
    const { tasks, logger } = this.#options;
    try {
      await this.lists[name].load(signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('a list of an engine cannot be read', { list: name, error: errorMessage(error) });
      tasks.spawn('refresh list', () => this.lists[name].refresh());
    }
  }

  #createList(path: string, apply: (body: unknown, start: FetchStart) => void): ListSync {
    const { client, mirror, tasks, timings, logger } = this.#options;
    return new ListSync({ path, apply, client, mirror, tasks, timings, logger });
  }
}

/** The reason of a session that was ended in order to begin another. */
class Reconnection extends Error {
  constructor() {
    super('the connection is made anew');
    this.name = 'Reconnection';
  }
}

function between(min: number, max: number): number {
  return min + Math.random() * (max - min);
}
