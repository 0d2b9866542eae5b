// The creates whose containers were not started yet, so that such a container can be made anew on another node when
// its own node cannot start it. Forgotten as soon as the container may differ from what was asked for.
import { RecentMap } from '../../common/recent-map.ts';
import type { ContainerCreateCall } from '../calls.ts';
import type { PreparedCreate } from './prepare-create.ts';

export interface UnstartedCreate {
  readonly prepared: PreparedCreate;
  readonly call: ContainerCreateCall;
}

const mostKept = 1_000;

export class UnstartedCreates {
  readonly #byId = new RecentMap<string, UnstartedCreate>(mostKept);

  keep(containerId: string, create: UnstartedCreate): void {
    this.#byId.set(containerId, create);
  }

  get(containerId: string): UnstartedCreate | undefined {
    return this.#byId.get(containerId);
  }

  forget(containerId: string): void {
    this.#byId.delete(containerId);
  }
}
