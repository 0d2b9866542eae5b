// Where a project on the manager may differ from one on a plain engine, and why. What is not listed fails, and the
// README shows the reasons.
import { isAt, type CorpusDifference } from './compare.ts';
import type { NetworkKind } from './projects.ts';

interface AllowedDifference {
  readonly what: string;
  readonly why: string;
  /** Places in what the steps show. */
  readonly at: readonly string[];
  /** Only with these networks. */
  readonly only?: NetworkKind;
}

const allowed: readonly AllowedDifference[] = [
  {
    what: 'labels of containers',
    why: '`com.docker.swarm.id` and `com.docker.swarm.placement` are added',
    at: [
      '* > containers > * > config > Labels > com.docker.swarm.id',
      '* > containers > * > config > Labels > com.docker.swarm.placement',
    ],
  },
  {
    what: 'placement rules',
    why: 'are taken out of the environment and kept as labels: Compose v1 writes `affinity:container==ID` when it recreates a container with volumes',
    at: [
      '* > containers > * > environment > affinity:container',
      '* > containers > * > config > Labels > com.docker.swarm.affinities',
    ],
  },
  {
    what: 'published ports',
    why: "are shown at the node's own address, as that is where they are",
    at: ['* > containers > * > ports > *'],
  },
  {
    what: 'networks, where the nodes share a swarm',
    why: 'are attachable overlays; each address on them is shown as a fixed one, and a label keeps the network mode',
    only: 'overlay',
    at: [
      '* > containers > * > networks > * > fixedAddress',
      '* > containers > * > config > Labels > com.docker.swarm.network.mode',
      '* > networks > * > Driver',
      '* > networks > * > Labels > com.docker.swarm.network.driver',
      '* > networks > * > Scope',
      '* > networks > * > Attachable',
      '* > networks > * > Options > *',
      '* > networks > * > subnets',
    ],
  },
];

export function mayDiffer({ at }: Pick<CorpusDifference, 'at'>, networks: NetworkKind): boolean {
  return allowed.some(
    ({ at: places, only }) => (only ?? networks) === networks && places.some((place) => isAt(at, place)),
  );
}

/** The rows of README's table, in order. */
export function allowedRows(): readonly (readonly [string, string])[] {
  return allowed.map(({ what, why }) => [what, why]);
}
