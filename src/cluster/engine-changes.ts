// Who hears of it when an engine joins, leaves or changes: the indices, the load of its node, the event hub and those
// who wait, in that order and in one go, so that nobody ever sees half a change.
import type { TaskSet } from '../common/lifecycle.ts';
import type { DockerEvent } from '../docker/types.ts';
import type { Engine, EngineChange } from '../engine/engine.ts';
import type { ContainerRecord } from '../engine/mirror.ts';
import type { ContainerCreator } from './create/create-container.ts';
import type { FreshVolumes } from './create/fresh-volumes.ts';
import type { EventHub } from './events/event-hub.ts';
import type { Indices } from './index/indices.ts';
import type { RememberedNames } from './names/remembered-names.ts';
import type { UnseenNodes } from './names/unseen-nodes.ts';
import type { Members } from './nodes/members.ts';
import { NodeView, type NodeViewIndices } from './nodes/node-view.ts';
import type { Readiness } from './nodes/readiness.ts';
import type { Rescheduler } from './reschedule/rescheduler.ts';

export interface EngineChangesOptions {
  readonly members: Members;
  readonly indices: Indices;
  /** What a node view is made from. */
  readonly viewIndices: NodeViewIndices;
  readonly readiness: Readiness;
  readonly unseen: UnseenNodes;
  readonly remembered: RememberedNames | undefined;
  readonly events: EventHub;
  readonly creator: ContainerCreator;
  readonly freshVolumes: FreshVolumes;
  readonly rescheduler: Rescheduler;
  readonly tasks: TaskSet;
}

export class EngineChanges {
  readonly #options: EngineChangesOptions;
  readonly #subscriptions = new Map<Engine, () => void>();

  constructor(options: EngineChangesOptions) {
    this.#options = options;
  }

  join(engine: Engine): void {
    const { members, indices, viewIndices, unseen, readiness } = this.#options;
    members.add(engine, new NodeView(engine, viewIndices));
    unseen.joined(engine);
    readiness.joined(engine);
    for (const record of engine.mirror.containers.values()) this.#containerChanged(engine, undefined, record);
    indices.replaceLists(engine);
    const unsubscribe = engine.subscribe((change) => {
      this.#follow(engine, change);
    });
    this.#subscriptions.set(engine, unsubscribe);
  }

  leave(engine: Engine): void {
    const { members, indices, unseen, remembered, readiness, events, creator } = this.#options;
    this.#subscriptions.get(engine)?.();
    this.#subscriptions.delete(engine);
    events.engineLeft(engine);
    unseen.settled(engine);
    remembered?.forget(engine.address);
    indices.removeEngine(engine);
    members.remove(engine);
    readiness.changed();
    creator.waiting.changed();
  }

  /** To be called when operators have set something else on these nodes. */
  settingsChanged(nodeIds: readonly string[]): void {
    const { members, creator, rescheduler } = this.#options;
    members.settingsChanged(nodeIds);
    rescheduler.nodesChanged();
    creator.waiting.changed();
  }

  /** Nobody hears of anything any more. */
  stop(): void {
    for (const unsubscribe of this.#subscriptions.values()) unsubscribe();
  }

  #follow(engine: Engine, change: EngineChange): void {
    this.#apply(engine, change);
    if (change.kind === 'event') return;
    this.#options.creator.waiting.changed();
    this.#options.rescheduler.roomChanged();
  }

  #apply(engine: Engine, change: EngineChange): void {
    const { members, indices, events } = this.#options;
    switch (change.kind) {
      case 'state':
        this.#stateChanged(engine, change);
        return;
      case 'info':
        members.engineChanged(engine);
        return;
      case 'container':
        this.#containerChanged(engine, change.before, change.after);
        return;
      case 'images':
      case 'networks':
      case 'volumes':
        indices[change.kind].replace(engine);
        return;
      case 'event':
        indices.execs.learn(engine, change.event);
        this.#hearOfSwarm(change.event);
        events.publish(engine, change.event);
        return;
    }
  }

  #stateChanged(engine: Engine, { state, reason }: EngineChange & { readonly kind: 'state' }): void {
    const { members, unseen, readiness, events, rescheduler } = this.#options;
    if (state === 'healthy') unseen.settled(engine);
    members.engineChanged(engine);
    events.stateChanged(engine, state, reason);
    rescheduler.nodesChanged();
    readiness.changed();
  }

  #containerChanged(engine: Engine, before: ContainerRecord | undefined, after: ContainerRecord | undefined): void {
    const { members, indices, creator, freshVolumes, rescheduler } = this.#options;
    indices.containers.replace(engine, before, after);
    members.nodeOf(engine)?.replaceContainer(before, after);
    rescheduler.observe(engine, before, after);
    if (after === undefined) return;
    if (before === undefined) creator.containerSeen(engine, after);
    for (const name of after.details?.volumeNames ?? []) freshVolumes.used(name);
  }

  /** The managers of a swarm report what becomes of its other nodes, which may not say so themselves. */
  #hearOfSwarm({ Type, Actor }: DockerEvent): void {
    const attributes = Type === 'node' ? (Actor.Attributes ?? {}) : {};
    if (!Object.keys(attributes).some((key) => key.endsWith('.new'))) return;
    const engine = this.#options.members.engineNamed(attributes['name'] ?? '');
    if (engine !== undefined) this.#options.tasks.spawn('read info', (signal) => engine.refreshInfo(signal));
  }
}
