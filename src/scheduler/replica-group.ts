// Which containers are copies of one Compose service. They should not share a node when there is a choice.
import type { NodeContainer, PlacementRequest } from './contracts.ts';

export interface ReplicaGroup {
  readonly project: string;
  readonly service: string;
  /** The container that the new one takes the place of; it is no copy beside it. */
  readonly replaces: string | undefined;
}

const projectLabel = 'com.docker.compose.project';
const serviceLabel = 'com.docker.compose.service';
const oneOffLabel = 'com.docker.compose.oneoff';

/** undefined: not a copy of a service (`docker compose run` makes one-off containers). */
export function replicaGroup({ labels, replaces }: PlacementRequest): ReplicaGroup | undefined {
  const project = labels[projectLabel];
  const service = labels[serviceLabel];
  if (project === undefined || service === undefined || isOneOff(labels)) return undefined;
  return { project, service, replaces };
}

/** Tells groups apart. */
export function groupKey({ project, service, replaces = '' }: ReplicaGroup): string {
  return [project, service, replaces].join('\n');
}

export function isReplicaOf({ project, service, replaces }: ReplicaGroup, container: NodeContainer): boolean {
  const { labels } = container;
  if (labels[serviceLabel] !== service || labels[projectLabel] !== project) return false;
  return !isOneOff(labels) && !isContainer(container, replaces);
}

function isOneOff(labels: Readonly<Record<string, string>>): boolean {
  return labels[oneOffLabel]?.toLowerCase() === 'true';
}

function isContainer({ id, name }: NodeContainer, reference: string | undefined): boolean {
  if (reference === undefined) return false;
  return name === reference || (/^[0-9a-f]{12,64}$/.test(reference) && id.startsWith(reference));
}
