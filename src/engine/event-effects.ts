// Which parts of an engine an event says have changed. What is not listed changes nothing that the mirror has.
import type { DockerEvent } from '../docker/types.ts';

export type EventEffect =
  | { readonly kind: 'container' | 'destroyed'; readonly id: string }
  | { readonly kind: 'images' | 'networks' | 'volumes' | 'info' };

/** No entry: the event is only passed on. */
export function eventEffects(event: DockerEvent): readonly EventEffect[] {
  const id = event.Actor.ID;
  // "health_status: healthy" and "exec_start: sh -c ..." carry more behind the colon.
  const action = event.Action.split(':', 1)[0] ?? '';
  switch (event.Type) {
    case 'container':
      if (action === 'destroy') return [{ kind: 'destroyed', id }];
      return containerActions.has(action) ? [{ kind: 'container', id }] : [];
    case 'network':
      if (changesNoNetwork(event)) return attachedContainer(event);
      return [{ kind: 'networks' }, ...attachedContainer(event), ...(marksSwarm(event) ? [infoEffect] : [])];
    case 'volume':
      return volumeActions.has(action) ? [{ kind: 'volumes' }] : [];
    case 'image':
      return quietImageActions.has(action) ? [] : [{ kind: 'images' }];
    case 'builder':
      return [{ kind: 'images' }];
    case 'node':
      return changesSwarm(event) ? [infoEffect] : [];
    case 'daemon':
      return [infoEffect];
    default:
      return [];
  }
}

/** Events with one key are published in the order in which the engine sent them. */
export function orderKey(event: DockerEvent): string {
  const [container] = attachedContainer(event);
  return container === undefined ? `${event.Type} ${event.Actor.ID}` : `container ${container.id}`;
}

const containerActions: ReadonlySet<string> = new Set([
  'create',
  'start',
  'die',
  'stop',
  'pause',
  'unpause',
  'rename',
  'update',
  'oom',
  'restart',
  'health_status',
]);

/** Mounting does not change the list of volumes. */
const volumeActions: ReadonlySet<string> = new Set(['create', 'destroy', 'update', 'prune']);

const quietImageActions: ReadonlySet<string> = new Set(['push', 'save']);

/** A network of several hosts appears on an engine with its first container; one of a single host is there anyway. */
function changesNoNetwork({ Action, Actor }: DockerEvent): boolean {
  const isAttachment = Action === 'connect' || Action === 'disconnect';
  return isAttachment && hostDrivers.has(Actor.Attributes?.['type'] ?? '');
}

const infoEffect: EventEffect = { kind: 'info' };

/** An engine that becomes a member of a swarm makes the swarm's own network first. */
function marksSwarm({ Actor }: DockerEvent): boolean {
  return Actor.Attributes?.['name'] === 'ingress';
}

/** Managers of a swarm report each node's housekeeping too; only what changes carries its new value. */
function changesSwarm({ Action, Actor }: DockerEvent): boolean {
  return Action !== 'update' || Object.keys(Actor.Attributes ?? {}).some((key) => key.endsWith('.new'));
}

const hostDrivers: ReadonlySet<string> = new Set(['bridge', 'host', 'null', 'nat']);

/** The container that a network event connects or disconnects. */
function attachedContainer(event: DockerEvent): readonly { readonly kind: 'container'; readonly id: string }[] {
  const isAttachment = event.Type === 'network' && (event.Action === 'connect' || event.Action === 'disconnect');
  const id = isAttachment ? event.Actor.Attributes?.['container'] : undefined;
  return id === undefined || id === '' ? [] : [{ kind: 'container', id }];
}
