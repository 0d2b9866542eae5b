// Which node a create goes to. Nothing is changed here: whoever acts on a choice reserves it before anything else happens.
import { ApiError, conflict, notFound } from '../../common/errors.ts';
import { familiarReference } from '../../docker/image-reference.ts';
import type { Decision, Placement, PlacementRequest } from '../../scheduler/contracts.ts';
import type { Refusal } from '../../scheduler/explain.ts';
import type { KeptOrders } from '../../scheduler/kept-orders.ts';
import { planLines } from '../../scheduler/plan.ts';
import type { Scheduler } from '../../scheduler/scheduler.ts';
import type { ImageIndex } from '../index/image-index.ts';
import type { VolumeIndex } from '../index/volume-index.ts';
import { NodeView } from '../nodes/node-view.ts';
import type { Attempts } from './attempts.ts';
import type { FreshVolumes } from './fresh-volumes.ts';
import { NoRoom } from './no-room.ts';
import type { PreparedCreate } from './prepare-create.ts';

export interface NodeChooserOptions {
  readonly scheduler: Scheduler;
  readonly orders: KeptOrders;
  readonly nodes: () => readonly NodeView[];
  readonly images: ImageIndex;
  readonly volumes: VolumeIndex;
  readonly freshVolumes: FreshVolumes;
}

export interface Choice {
  readonly view: NodeView;
  /** Without the fresh volumes when these must follow the container. */
  readonly request: PlacementRequest;
  readonly needsImage: boolean;
  readonly decision: Decision;
}

export class NodeChooser {
  readonly #options: NodeChooserOptions;

  constructor(options: NodeChooserOptions) {
    this.#options = options;
  }

  /** Throws 404 when nobody has it, 503 when nobody can be asked. A copy of what was lost may have its image pulled again. */
  assertImageExists({ image, inheritsName }: PreparedCreate): void {
    if (this.#isImageThere(image)) return;
    const { images } = this.#options;
    if (inheritsName && images.enginesWith(image).size > 0) {
      if (!images.isMadeHere(image)) return;
      throw conflict(`image ${image} is on no node that answers, and no registry has it`);
    }
    if (this.#options.nodes().some(({ refusal }) => refusal === undefined)) {
      throw notFound('image', familiarReference(image));
    }
    throw this.#noRoom({ explanation: 'no node is healthy', conditions: ['a healthy node'] });
  }

  #isImageThere(image: string): boolean {
    for (const engine of this.#options.images.enginesWith(image)) if (engine.state === 'healthy') return true;
    return false;
  }

  /** Not 404 for want of the image: clients would pull it. */
  plan(attempts: Attempts): ApiError {
    const { image } = attempts.prepared;
    const { request, decision, needsImage } = this.choose(attempts);
    const isThere = this.#isImageThere(image);
    const lines = [
      `dry run: nothing was created; the container would go to ${decision.node}`,
      ...(needsImage
        ? [`image ${image} is on ${isThere ? 'other nodes only' : 'no node'}: it would be fetched first`]
        : []),
      ...planLines(this.#options.scheduler, request, decision, this.#options.nodes()),
    ];
    return new ApiError(422, lines.join('\n'));
  }

  /** Whether a node has the image decides between equals only, for it can get it; fresh volumes are moved only as a last resort. */
  choose(attempts: Attempts): Choice {
    const { request, image } = attempts.prepared;
    const isFresh = (name: string): boolean => this.#options.freshVolumes.isFresh(name);
    const settled = request.volumes.filter((name) => !isFresh(name));
    const requests =
      settled.length === request.volumes.length ? [request] : [request, { ...request, volumes: settled }];
    let refusal: Refusal = { explanation: 'no node can take the container', conditions: [] };
    const pinnedNodes = this.#allowed(attempts);
    for (const candidate of requests) {
      const asked = { ...candidate, pinnedNodes };
      const placement = this.#decide(asked, attempts);
      if (placement.kind === 'refused') {
        refusal = placement;
        continue;
      }
      const [view] = placement.nodes;
      if (!(view instanceof NodeView)) continue;
      for (const volume of asked.volumes) this.#assertUnambiguous(volume, asked);
      return { view, request: asked, needsImage: !view.hasImage(image), decision: placement.decision };
    }
    throw attempts.refused(this.#noRoom(refusal));
  }

  /** For a dry run every node is looked at, as it tells of every one. */
  #decide(request: PlacementRequest, { prepared }: Attempts): Placement {
    const { scheduler, nodes, orders } = this.#options;
    return scheduler.place(request, nodes(), prepared.terms.isDryRun ? undefined : orders);
  }

  /** Of several volumes of one name the container must not get any one: only one of their nodes may come into question. */
  #assertUnambiguous(volume: string, asked: PlacementRequest): void {
    const owners = this.#options.volumes.named(volume).filter(({ row }) => row.Scope !== 'global');
    if (owners.length < 2) return;
    const { nodes, scheduler } = this.#options;
    const candidates = nodes().filter(({ engine, name }) => {
      const isAllowed = asked.pinnedNodes?.nodes.includes(name) ?? true;
      if (!isAllowed || !owners.some((owner) => owner.engine === engine)) return false;
      const pinnedNodes = { nodes: [name], reason: '' };
      return scheduler.place({ ...asked, pinnedNodes }, nodes()).kind === 'placed';
    });
    if (candidates.length < 2) return;
    const names = candidates.map(({ name }) => `${name}/${volume}`).join(', ');
    throw conflict(`volume ${volume} is ambiguous, several nodes have one of that name: ${names}`);
  }

  #allowed({ prepared, failures }: Attempts): PlacementRequest['pinnedNodes'] {
    const { pinned, image } = prepared;
    const nodes = this.#options.nodes();
    const canGetImage = this.#imageTest(image);
    // The usual case is decided without a look at every node.
    if (canGetImage === undefined && failures.size === 0 && pinned.size === 0) return undefined;
    const hasImageInReach = canGetImage ?? (() => true);
    const allowed = nodes.filter((node) => {
      if (failures.has(node.name)) return false;
      if (pinned.size > 0 && (pinned.size > 1 || !pinned.has(node.engine))) return false;
      return hasImageInReach(node);
    });
    if (allowed.length === nodes.length) return undefined;
    const reasons = [
      ...(failures.size > 0 ? ['it was tried already'] : []),
      ...(pinned.size > 0 ? ['the container refers to objects of another node'] : []),
      ...(nodes.every(hasImageInReach)
        ? []
        : [`image ${image} is not on this node, and was made for another processor`]),
    ];
    return { nodes: allowed.map(({ name }) => name), reason: reasons.join(', or ') };
  }

  /**
   * Who has the image or can get it: a registry has it for every processor, another node only for its own. undefined
   * when every node does.
   */
  #imageTest(image: string): ((node: NodeView) => boolean) | undefined {
    const { images, nodes } = this.#options;
    const holders = images.enginesWith(image);
    if (holders.size === nodes().length || !images.isMadeHere(image)) return undefined;
    const processors = new Set([...holders].map(({ info }) => info?.Architecture));
    return ({ engine }) => holders.has(engine) || processors.has(engine.info?.Architecture);
  }

  #noRoom({ explanation, conditions }: Refusal): NoRoom {
    const isAnyHealthy = this.#options.nodes().some(({ engine }) => engine.state === 'healthy');
    return new NoRoom(isAnyHealthy ? 409 : 503, explanation, conditions);
  }
}
