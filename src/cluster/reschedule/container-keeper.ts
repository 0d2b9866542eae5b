// Sees to it that of every container that may be made anew the store has what it is made from: whenever its record
// changes its engine is asked again, as long as it can be.
import { sleep } from '../../common/abort.ts';
import { Backoff } from '../../common/backoff.ts';
import { ApiError, errorMessage } from '../../common/errors.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import type { Logger } from '../../common/logger.ts';
import { createAgain } from '../../docker/create-again.ts';
import type { ContainerInspect } from '../../docker/types.ts';
import { parseContainerInspect } from '../../engine/answers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { CpuMode } from '../../scheduler/resource-demand.ts';
import { reschedulePolicyOf, type ReschedulePolicy } from '../../scheduler/reschedule-policy.ts';
import { withClassicCores } from '../create/classic-shares.ts';
import { bearerId, generationOf, type ContainerIndex } from '../index/container-index.ts';
import type { Identities } from '../nodes/identity.ts';
import { reschedulePoliciesLabel } from '../swarm-labels.ts';
import type { KeptContainer, NodeReference } from './kept-container.ts';
import type { KeptContainers } from './kept-containers.ts';
import { localDataOf, localVolumesOf } from './local-data.ts';

export interface ContainerKeeperOptions {
  readonly kept: KeptContainers;
  readonly containers: ContainerIndex;
  readonly identities: Identities;
  /** `classic`: what is kept says cores where the engine has shares. */
  readonly cpuMode: CpuMode;
  readonly tasks: TaskSet;
  readonly logger: Logger;
  /** Called when something that decides about moves is known anew. */
  readonly onChange: () => void;
}

const inspectTimeoutMs = 10_000;

export class ContainerKeeper {
  readonly #options: ContainerKeeperOptions;
  readonly #changed = new Map<string, Engine>();
  #isReading = false;
  #isOn = false;

  constructor(options: ContainerKeeperOptions) {
    this.#options = options;
  }

  /** From now on changes count; everything that is there is read once. */
  start(): void {
    this.#isOn = true;
    for (const { engine, record } of this.#options.containers.all()) this.observe(engine, undefined, record);
  }

  stop(): void {
    this.#isOn = false;
    this.#changed.clear();
  }

  /** Takes a change of a mirror. Cheap for the containers that stay, which are most. */
  observe(engine: Engine, before: ContainerRecord | undefined, after: ContainerRecord | undefined): void {
    const record = after ?? before;
    if (!this.#isOn || record?.row.Labels?.[reschedulePoliciesLabel] === undefined) return;
    if (after === undefined) {
      this.#changed.delete(record.id);
      this.#removed(bearerId(record), record.id);
      return;
    }
    this.read(engine, after.id);
  }

  /** Reads one anew that was made by a move, and that is the current copy only now. */
  read(engine: Engine, containerId: string): void {
    if (!this.#isOn) return;
    this.#changed.set(containerId, engine);
    this.#read();
  }

  /** Those that were removed while nobody looked: `engine` is healthy, so what its mirror lacks is gone. */
  dropAbsent(engine: Engine, kept: readonly KeptContainer[]): void {
    for (const { swarmId, containerId } of kept)
      if (!engine.mirror.containers.has(containerId)) this.#removed(swarmId, containerId);
  }

  /** Nothing that was on the node counts any more. */
  forgetNode(isOfNode: (node: NodeReference) => boolean): void {
    const { kept } = this.#options;
    for (const { swarmId, containerId, node, former } of [...kept.all()]) {
      for (const copy of former) if (isOfNode(copy.node)) this.#removed(swarmId, copy.containerId);
      if (isOfNode(node)) this.#removed(swarmId, containerId);
    }
  }

  #removed(swarmId: string, removedId: string): void {
    const { kept, onChange } = this.#options;
    const known = kept.get(swarmId);
    if (known === undefined) return;
    const former = known.former.filter(({ containerId }) => containerId !== removedId);
    const containerId = known.containerId === removedId ? '' : known.containerId;
    // One that is being made anew is not gone for good.
    if (containerId === '' && former.length === 0 && known.plan === undefined) kept.delete(known.swarmId);
    else kept.set({ ...known, containerId, former });
    onChange();
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const { tasks } = this.#options;
    tasks.spawn('read what containers are made from', async (signal) => {
      try {
        await this.#readAll(signal);
      } finally {
        this.#isReading = false;
      }
    });
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ initialMs: 200, maxMs: 5_000 });
    while (!signal.aborted) {
      const [next] = this.#changed;
      if (next === undefined) return;
      const [id, engine] = next;
      this.#changed.delete(id);
      const record = engine.mirror.containers.get(id);
      // An engine that was lost is read again when it is back.
      if (record === undefined || engine.state !== 'healthy') continue;
      try {
        await this.#readOne(engine, record, signal);
        backoff.reset();
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) continue;
        this.#options.logger.debug('a container could not be read to be kept', { error: errorMessage(error) });
        this.#changed.set(id, engine);
        await sleep(backoff.next(), signal);
      }
    }
  }

  async #readOne(engine: Engine, record: ContainerRecord, signal: AbortSignal): Promise<void> {
    const { kept, onChange } = this.#options;
    const known = kept.get(bearerId(record));
    if (known !== undefined && !this.#isCurrent(known, record)) return;
    const answer = await engine.client.read({
      path: `/containers/${record.id}/json`,
      signal,
      timeoutMs: inspectTimeoutMs,
    });
    const inspect = parseContainerInspect(answer);
    const now = kept.get(bearerId(record));
    if (now !== known) {
      // It was moved meanwhile.
      this.#changed.set(record.id, engine);
      return;
    }
    const policy = reschedulePolicyOf(record.row.Labels ?? {});
    const read = this.#document(engine, record, inspect, policy);
    kept.set({ ...read, ...carriedOver(known, read) });
    onChange();
  }

  /** Neither an older copy nor one that is being made; a user may have taken an older one back. */
  #isCurrent(known: KeptContainer, record: ContainerRecord): boolean {
    if (known.containerId === record.id) return true;
    if (known.former.some(({ containerId }) => containerId === record.id)) return false;
    if (known.plan !== undefined) return false;
    const { containers } = this.#options;
    return known.containerId === '' || containers.withId(known.containerId).length === 0;
  }

  #document(
    engine: Engine,
    record: ContainerRecord,
    inspect: ContainerInspect,
    { onNodeFailure, onDrain, dataIsDiscardable }: ReschedulePolicy,
  ): Omit<KeptContainer, 'former' | 'plan' | 'endedAtMs'> {
    const networks = engine.mirror.networks;
    const isOfSwarm = (name: string): boolean =>
      [...networks.values()].some((row) => row.Name === name && row.Scope === 'swarm');
    const body = createAgain(inspect, isOfSwarm);
    return {
      swarmId: bearerId(record),
      name: record.name,
      containerId: record.id,
      node: this.#reference(engine),
      generation: generationOf(record),
      body: this.#options.cpuMode === 'classic' ? withClassicCores(body, engine.info?.NCPU ?? 0) : body,
      version: engine.apiVersion.max,
      isActive: inspect.State?.Running === true || inspect.State?.Restarting === true,
      localVolumes: localVolumesOf(inspect, engine.mirror.volumes),
      localData: dataIsDiscardable ? [] : localDataOf(inspect, engine.mirror.volumes),
      onNodeFailure,
      onDrain,
    };
  }

  #reference(engine: Engine): NodeReference {
    return { ...this.#options.identities.of(engine), address: engine.address };
  }
}

/** Generations never go back, so that a copy made later is always the higher one. */
function carriedOver(
  known: KeptContainer | undefined,
  read: Pick<KeptContainer, 'generation' | 'isActive'>,
): Pick<KeptContainer, 'former' | 'plan' | 'generation' | 'endedAtMs'> {
  const endedAtMs = known?.isActive === true ? Date.now() : known?.endedAtMs;
  return {
    former: known?.former ?? [],
    plan: known?.plan,
    generation: Math.max(known?.generation ?? 0, read.generation),
    endedAtMs: read.isActive ? undefined : endedAtMs,
  };
}
