// A container that may leave its node when that is lost, as the tests of rescheduling need it.
import type { KeptContainer } from '../../../../../src/cluster/reschedule/kept-container.ts';

export function aKeptContainer(facts: Partial<KeptContainer> & Pick<KeptContainer, 'swarmId'>): KeptContainer {
  return {
    name: 'web',
    containerId: 'c1',
    node: { id: 'ID1', name: 'node-1', address: '10.0.0.1:2375' },
    generation: 0,
    body: { Image: 'busybox' },
    version: '1.41',
    isActive: true,
    endedAtMs: undefined,
    localVolumes: [],
    localData: [],
    onNodeFailure: true,
    onDrain: false,
    former: [],
    plan: undefined,
    ...facts,
  };
}
