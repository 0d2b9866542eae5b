// Placement for those who make no container: what would go where, which node builds, and room for a container that is
// there already.
import { ApiError, badRequest } from '../common/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Placement, PlacementRequest } from '../scheduler/contracts.ts';
import type { KeptOrders } from '../scheduler/kept-orders.ts';
import { placementRequest } from '../scheduler/request.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { termsOf } from '../scheduler/terms.ts';
import { holdRoom } from './create/start-room.ts';
import type { ContainerLocation } from './locations.ts';
import type { Members } from './nodes/members.ts';
import { NodeView } from './nodes/node-view.ts';

export interface PlacerOptions {
  readonly scheduler: Scheduler;
  readonly members: Members;
  /** Told of every change of the nodes. */
  readonly orders: KeptOrders;
}

export class Placer {
  readonly #options: PlacerOptions;

  constructor(options: PlacerOptions) {
    this.#options = options;
  }

  /** Where a container would go now; nothing is reserved. */
  place(request: PlacementRequest): Placement {
    const { scheduler, members, orders } = this.#options;
    return scheduler.place(request, members.nodes, orders);
  }

  /**
   * The engine for a build whose arguments carry placement expressions ("constraint:storage==ssd"), as an environment
   * of them would place a container. Throws 400 for what is no expression or only makes sense for a container, 409 with
   * the reasons when no node fits, 503 when none is healthy.
   */
  placeBuild(environment: readonly string[]): Engine {
    const { isDryRun, waitMs } = termsOf({ Env: environment });
    if (isDryRun || waitMs > 0)
      throw badRequest('a build has no dry run and does not wait: dryrun and wait are for containers');
    const placement = this.place(placementRequest({ Env: environment }));
    if (placement.kind === 'refused')
      throw new ApiError(this.#options.members.healthyEngines.length > 0 ? 409 : 503, placement.explanation);
    const [best] = placement.nodes;
    if (!(best instanceof NodeView)) throw new ApiError(503, 'no node is healthy');
    return best.engine;
  }

  /**
   * Holds what a stopped container asks for on its node until the result is called, when it runs or has failed to.
   * Throws 409 when the node has not enough of it left.
   */
  holdRoomToStart({ engine, record }: ContainerLocation): () => void {
    const { scheduler, members } = this.#options;
    const view = members.nodeOf(engine);
    return view === undefined ? () => undefined : holdRoom(view, record, scheduler);
  }
}
