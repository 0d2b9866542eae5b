// The indices over what the engines hold, one for each kind of object. They follow the mirrors: nothing else changes
// them.
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../nodes/identity.ts';
import type { Members } from '../nodes/members.ts';
import { ContainerIndex } from './container-index.ts';
import { ExecIndex } from './exec-index.ts';
import { ImageIndex } from './image-index.ts';
import { NetworkIndex } from './network-index.ts';
import { VolumeIndex } from './volume-index.ts';

/** An index for those who only look things up. */
export type Lookup<Index> = Omit<Index, 'replace' | 'removeEngine' | 'learn'>;

export class Indices {
  readonly containers: ContainerIndex;
  readonly images: ImageIndex;
  readonly networks: NetworkIndex;
  readonly volumes: VolumeIndex;
  readonly execs: ExecIndex;

  constructor(identities: Identities, members: Members) {
    this.containers = new ContainerIndex(identities);
    this.images = new ImageIndex(identities);
    this.networks = new NetworkIndex(identities, members.swarms);
    this.volumes = new VolumeIndex(identities);
    this.execs = new ExecIndex(() => members.healthyEngines);
  }

  /** Takes over what the engine's mirror holds only as whole lists: all but containers. */
  replaceLists(engine: Engine): void {
    this.images.replace(engine);
    this.networks.replace(engine);
    this.volumes.replace(engine);
  }

  removeEngine(engine: Engine): void {
    this.containers.removeEngine(engine);
    this.images.removeEngine(engine);
    this.networks.removeEngine(engine);
    this.volumes.removeEngine(engine);
    this.execs.removeEngine(engine);
  }
}
