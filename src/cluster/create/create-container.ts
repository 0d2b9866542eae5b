// Creates containers. Name, node, ports and resources are reserved in one synchronous step, so no two requests get
// the same; what is reserved is kept until the mirror shows the container or it is certain that there is none.
import { errorMessage, type ApiError } from '../../common/errors.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import type { Logger } from '../../common/logger.ts';
import { textListMember, textMapMember, textMember, withGoMember } from '../../docker/go-member.ts';
import type { CreateBody } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import { EngineUnreachable } from '../../engine/unreachable.ts';
import { portsToReserve } from '../../scheduler/filters/port.ts';
import type { KeptOrders } from '../../scheduler/kept-orders.ts';
import type { Scheduler } from '../../scheduler/scheduler.ts';
import type {
  ContainerCreateCall,
  CreatedContainer,
  ProvideImage,
  TranslateCreate,
  TranslatedCreate,
} from '../calls.ts';
import { Attempts } from './attempts.ts';
import type { CreateIntents } from './create-intents.ts';
import { withClassicShares } from './classic-shares.ts';
import { watchForLoss } from '../engine-loss.ts';
import { readSoon } from '../engine-word.ts';
import type { FreshVolumes } from './fresh-volumes.ts';
import { swarmIdOf } from '../index/container-index.ts';
import type { ImageIndex } from '../index/image-index.ts';
import type { ContainerLocation } from '../locations.ts';
import type { ContainerNames } from '../names/names.ts';
import type { NodeView } from '../nodes/node-view.ts';
import { NodeChooser, type Choice } from './node-chooser.ts';
import { writePlacement } from './placement-label.ts';
import { prepareCreate } from './prepare-create.ts';
import type { PreparedCreate, PrepareOptions } from './prepare-create.ts';
import { generationLabel, idempotencyLabel, placementLabel, swarmIdLabel } from '../swarm-labels.ts';
import type { UnseenNodes } from '../names/unseen-nodes.ts';
import { settleCreate } from './unsettled-creates.ts';
import type { UnsettledCreate } from './unsettled-creates.ts';
import { UnstartedCreates } from './unstarted-creates.ts';
import { WaitingCreates } from './waiting-creates.ts';

export interface ContainerCreatorOptions extends Omit<PrepareOptions, 'isReserved'> {
  readonly scheduler: Scheduler;
  /** Told of every change of the nodes. */
  readonly orders: KeptOrders;
  readonly nodes: () => readonly NodeView[];
  readonly images: ImageIndex;
  readonly names: ContainerNames;
  readonly unseen: UnseenNodes;
  readonly freshVolumes: FreshVolumes;
  readonly createRetry: number;
  readonly createDoubtMs: number;
  /** Undefined where nothing outlives the manager. */
  readonly intents: CreateIntents | undefined;
  readonly translate: TranslateCreate;
  readonly provideImage: ProvideImage;
  readonly logger: Logger;
  readonly tasks: TaskSet;
}

/** Until the engine has answered a create; some storage drivers are slow under load. */
const createTimeoutMs = 120_000;
/** The answer is not held back longer than this for the mirror's sake. */
const settleLimitMs = 10_000;
/** A start may wait for the network or a volume driver. */
const startTimeoutMs = 120_000;

export class ContainerCreator {
  readonly #options: ContainerCreatorOptions;
  readonly #chooser: NodeChooser;
  readonly #reserved = new Map<string, NodeView>();
  readonly #unstarted = new UnstartedCreates();
  /** Those that no node can take yet. */
  readonly waiting: WaitingCreates;

  constructor(options: ContainerCreatorOptions) {
    this.#options = options;
    this.#chooser = new NodeChooser(options);
    this.waiting = new WaitingCreates(options.tasks);
  }

  /**
   * Throws 404 when no node has the image and for nothing else, 400 and 409 as an engine does, 503 when no node is
   * healthy or one may have the name, 409 with each node's reason when none can take the container, 422 with the plan for a dry run.
   */
  async create(call: ContainerCreateCall): Promise<CreatedContainer> {
    const prepared = prepareCreate(call, { ...this.#options, isReserved: (swarmId) => this.#reserved.has(swarmId) });
    if (prepared.request.volumes.length > 0) await this.#options.freshVolumes.settled(prepared.request.volumes);
    const attempts = new Attempts(prepared, call, this.#reserveName(prepared));
    try {
      if (prepared.terms.isDryRun) throw this.#chooser.plan(attempts);
      this.#assertVolumesAreKnown(prepared);
      const created = await this.#tryNodes(attempts);
      if (this.#options.createRetry > 0) this.#unstarted.keep(created.id, { prepared, call });
      return created;
    } finally {
      if (!attempts.isHandedOver) attempts.releaseName();
    }
  }

  /** From now on the container is not made anew on another node when it cannot be started. */
  stay(containerId: string): void {
    this.#unstarted.forget(containerId);
  }

  /**
   * Makes a container anew that its node refused to start, with `refusal`, and starts it there; the old one is removed.
   * Clients see one of the two at any moment: see `ContainerIndex`.
   * Its id becomes the new one's swarm id, by which clients that have it still find the container. undefined when it
   * must stay where it is. Throws, with every attempt, when no other node could start it: then the old one remains.
   */
  async startElsewhere(
    { engine, record }: ContainerLocation,
    refusal: ApiError,
    signal: AbortSignal,
  ): Promise<CreatedContainer | undefined> {
    const kept = this.#unstarted.get(record.id);
    this.#unstarted.forget(record.id);
    if (kept === undefined || engine.mirror.containers.get(record.id)?.details?.startedAtMs !== undefined)
      return undefined;
    const { body } = kept.prepared;
    const prepared = {
      ...kept.prepared,
      name: record.name,
      swarmId: record.id,
      body: withLabel(body, swarmIdLabel, record.id),
    };
    const attempts = new Attempts(prepared, { ...kept.call, signal }, () => undefined);
    if (!attempts.mayTryNext(refusal, this.#options.createRetry)) return undefined;
    attempts.failedOn(this.#nodeName(engine), refusal);
    const started = await this.#startNew(attempts);
    await this.#removeStale(engine, record.id);
    const to = this.#nodeName(started.engine);
    this.#options.logger.info('a container was started on another node', {
      container: started.id,
      before: record.id,
      node: to,
    });
    return started;
  }

  async #startNew(attempts: Attempts): Promise<CreatedContainer> {
    const { signal } = attempts.call;
    for (;;) {
      const created = await this.#tryNodes(attempts);
      const { engine, id } = created;
      try {
        await engine.client.request({
          method: 'POST',
          path: `/containers/${id}/start`,
          signal,
          timeoutMs: startTimeoutMs,
        });
        await readSoon(engine, id);
        return created;
      } catch (error) {
        // One that was perhaps started is not started a second time elsewhere.
        if (error instanceof EngineUnreachable && error.kind !== 'not-sent') throw attempts.explain(error);
        await removeContainer(engine, id);
        if (!attempts.mayTryNext(error, this.#options.createRetry)) throw attempts.explain(error);
        attempts.failedOn(this.#nodeName(engine), error);
      }
    }
  }

  /** It is not shown any more and its successor runs, so a start does not fail for its sake. */
  async #removeStale(engine: Engine, id: string): Promise<void> {
    try {
      await removeContainer(engine, id);
    } catch (error) {
      const node = this.#nodeName(engine);
      this.#options.logger.warn('a container that was started elsewhere is left over', {
        container: id,
        node,
        error: errorMessage(error),
      });
    }
  }

  #nodeName(engine: Engine): string {
    return this.#options.nodes().find((view) => view.engine === engine)?.name ?? engine.name;
  }

  /** The mirror shows a new container: from here on it is counted itself, in place of its reservation. */
  containerSeen(engine: Engine, record: ContainerRecord): void {
    const swarmId = swarmIdOf(record);
    const view = swarmId === undefined ? undefined : this.#reserved.get(swarmId);
    if (swarmId !== undefined && view?.engine === engine) this.#giveUp(swarmId);
  }

  /** A volume that nobody knows would be made, though a node that has not been seen may have it. */
  #assertVolumesAreKnown({ request }: PreparedCreate): void {
    const { volumes, unseen } = this.#options;
    for (const name of request.volumes) if (volumes.named(name).length === 0) unseen.assertFree('volume', name);
  }

  #reserveName({ name, swarmId, inheritsName }: PreparedCreate): () => void {
    if (name === undefined) return () => undefined;
    const { names } = this.#options;
    const reservation = inheritsName ? names.inherit(name, swarmId) : names.reserve(name, swarmId);
    return () => {
      reservation.release();
    };
  }

  async #tryNodes(attempts: Attempts): Promise<CreatedContainer> {
    const { prepared, call } = attempts;
    const untilMs = Date.now() + prepared.terms.waitMs;
    for (;;) {
      const choice = await this.waiting.hold({
        what: prepared.name ?? prepared.image,
        waitMs: untilMs - Date.now(),
        signal: call.signal,
        place: () => this.#place(attempts),
      });
      try {
        const created = await this.#createOn(choice, attempts);
        if (created !== undefined) return created;
      } finally {
        if (!attempts.isHandedOver) {
          this.#giveUp(attempts.prepared.swarmId);
          this.#options.intents?.close(attempts.prepared.swarmId);
        }
      }
    }
  }

  /** Chooses a node and reserves it. Nothing may be awaited between the two. */
  #place(attempts: Attempts): Choice {
    const { prepared } = attempts;
    this.#chooser.assertImageExists(prepared);
    const choice = this.#chooser.choose(attempts);
    const { view, request } = choice;
    view.reserve({
      container: {
        id: prepared.swarmId,
        name: prepared.name ?? '',
        image: prepared.image,
        imageId: '',
        labels: request.labels,
        isActive: true,
        nanoCpus: request.nanoCpus,
        memoryBytes: request.memoryBytes,
        resources: request.deviceRequests.length === 0 ? undefined : request.deviceRequests,
      },
      ports: portsToReserve(request, view),
      portsHeldUntilMs: Infinity,
    });
    this.#reserved.set(prepared.swarmId, view);
    return choice;
  }

  /** undefined: the node could not do it and another one may be tried. */
  async #createOn(choice: Choice, attempts: Attempts): Promise<CreatedContainer | undefined> {
    const { engine } = choice.view;
    const { call, prepared } = attempts;
    if (!(await this.#provide(choice, attempts))) return undefined;
    await this.#moveVolumes(choice, attempts);
    const translated = this.#options.translate(this.#bodyFor(choice, attempts), engine, call);
    await this.#intend(engine, attempts);
    const answer = await this.#send(choice.view, translated, attempts);
    if (answer === undefined) return undefined;
    const { id, warnings } = answer;
    await this.#finish(engine, id, translated);
    const makesVolume = prepared.request.volumes.some((volume) => !engine.mirror.volumes.has(volume));
    const [isShown] = await Promise.all([
      readSoon(engine, id),
      ...(makesVolume ? [engine.refreshVolumes(AbortSignal.timeout(settleLimitMs))] : []),
    ]);
    if (!isShown && !engine.mirror.containers.has(id)) this.#keepReserved(engine, attempts);
    const { name } = choice.view;
    this.#options.logger.info('a container was created', { container: id, name: prepared.name ?? '', node: name });
    return { engine, id, warnings: [...warnings, ...translated.warnings] };
  }

  /** One that its client cannot ask for again by a name or a key would only be another one. */
  async #intend(engine: Engine, { prepared }: Attempts): Promise<void> {
    const { swarmId, name = '' } = prepared;
    const { [idempotencyLabel]: key = '' } = textMapMember(prepared.body, 'Labels');
    if (name === '' && key === '') return;
    const generation = generationIn(prepared.body);
    await this.#options.intents?.open({ swarmId, generation, name, key, address: engine.address });
  }

  #bodyFor({ view, decision }: Choice, attempts: Attempts): CreateBody {
    const { body } = attempts.prepared;
    const placement = writePlacement(decision, attempts.failed);
    const labelled = withLabel(body, placementLabel, placement);
    return this.#options.cpuMode === 'classic' ? withClassicShares(labelled, view.engine.info?.NCPU ?? 0) : labelled;
  }

  /** False when the node could not get it, and another one may be tried. */
  async #provide({ view, needsImage }: Choice, attempts: Attempts): Promise<boolean> {
    if (!needsImage) return true;
    const { provideImage, images, logger } = this.#options;
    const { image } = attempts.prepared;
    const { headers, platform, signal } = attempts.call;
    const sources = [...images.enginesWith(image)].filter(({ state }) => state === 'healthy');
    try {
      await provideImage(view.engine, image, { headers, platform, signal, sources });
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      logger.warn('a node could not get an image', { node: view.name, image, error: errorMessage(error) });
      attempts.failedOn(view.name, error);
      return false;
    }
  }

  async #moveVolumes({ view, request }: Choice, { prepared }: Attempts): Promise<void> {
    const { freshVolumes } = this.#options;
    const moves = prepared.request.volumes.map(async (name) => {
      if (request.volumes.includes(name)) freshVolumes.used(name);
      else await freshVolumes.move(name, view.engine);
    });
    await Promise.all(moves);
  }

  // The client's departure does not end the request: an engine creates the container all the same. The engine's loss
  // does, so that nobody waits for an engine that hangs.
  async #send(view: NodeView, translated: TranslatedCreate, attempts: Attempts): Promise<Answer | undefined> {
    const { engine } = view;
    const { name } = attempts.prepared;
    const { headers, platform } = attempts.call;
    const loss = watchForLoss(engine);
    try {
      if (loss.signal.aborted) throw new EngineUnreachable(engine.name, 'not-sent', engine.lastError ?? engine.state);
      const { body } = await engine.client.request({
        method: 'POST',
        path: '/containers/create',
        version: translated.version,
        query: { ...(name === undefined ? {} : { name }), ...(isGiven(platform) ? { platform } : {}) },
        headers,
        body: translated.body,
        signal: loss.signal,
        timeoutMs: createTimeoutMs,
      });
      return { id: textMember(body, 'Id'), warnings: textListMember(body, 'Warnings') };
    } catch (error) {
      if (error instanceof EngineUnreachable && error.kind !== 'not-sent')
        return await this.#settle(engine, attempts, error);
      if (!attempts.mayTryNext(error, this.#options.createRetry)) throw attempts.explain(error);
      this.#options.logger.warn('a node could not create a container', { node: view.name, error: errorMessage(error) });
      attempts.failedOn(view.name, error);
      return undefined;
    } finally {
      loss.stop();
    }
  }

  /** Whether the engine took a request that it did not answer decides; another node is never tried. */
  async #settle(engine: Engine, attempts: Attempts, error: EngineUnreachable): Promise<Answer> {
    const id = await settleCreate(this.#handOver(engine, attempts), this.#options.tasks);
    if (id === undefined) throw attempts.explain(error);
    return { id, warnings: [] };
  }

  /** The engine was lost between its answer and its next list: what is reserved stays so until it is back. */
  #keepReserved(engine: Engine, attempts: Attempts): void {
    const { tasks } = this.#options;
    const create = this.#handOver(engine, attempts);
    tasks.spawn('keep a reservation', async () => {
      await settleCreate(create, tasks);
    });
  }

  #handOver(engine: Engine, attempts: Attempts): UnsettledCreate {
    const { swarmId } = attempts.prepared;
    attempts.isHandedOver = true;
    const { doubt } = attempts.call;
    doubt?.begins();
    return {
      engine,
      swarmId,
      generation: generationIn(attempts.prepared.body),
      doubtMs: this.#options.createDoubtMs,
      onSettled: (outcome) => {
        this.#giveUp(swarmId);
        if (outcome === 'certain') this.#options.intents?.close(swarmId);
        attempts.releaseName();
        doubt?.ends();
      },
    };
  }

  async #finish(engine: Engine, id: string, { followUps }: TranslatedCreate): Promise<void> {
    try {
      for (const followUp of followUps) await followUp(id);
    } catch (error) {
      await engine.client.request({ method: 'DELETE', path: `/containers/${id}`, query: { force: '1', v: '1' } });
      await engine.refreshContainer(id);
      throw error;
    }
  }

  #giveUp(swarmId: string): void {
    this.#reserved.get(swarmId)?.giveUp(swarmId);
    if (this.#reserved.delete(swarmId)) this.waiting.changed();
  }
}

interface Answer {
  readonly id: string;
  readonly warnings: readonly string[];
}

/** '' for a container that takes no other one's place. */
function generationIn(body: CreateBody): string {
  return textMapMember(body, 'Labels')[generationLabel] ?? '';
}

function withLabel(body: CreateBody, label: string, value: string): CreateBody {
  return withGoMember(body, 'Labels', { ...textMapMember(body, 'Labels'), [label]: value });
}

/** One that was never started; its anonymous volumes go with it. */
async function removeContainer(engine: Engine, id: string): Promise<void> {
  await engine.client.request({ method: 'DELETE', path: `/containers/${id}`, query: { v: '1' } });
  await engine.refreshContainer(id);
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
