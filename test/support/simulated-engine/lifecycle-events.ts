// The events that changes of a container, volume, network or image cause, with the attributes dockerd gives them.
import type { EngineState } from './engine-state.ts';
import type { ContainerRecord, NetworkRecord } from './records.ts';

type Attributes = Readonly<Record<string, string>>;

export function publishContainerEvent(
  state: EngineState,
  container: ContainerRecord,
  action: string,
  more: Attributes = {},
): void {
  const attributes = { ...container.labels, image: container.imageReference, name: container.name, ...more };
  state.journal.publish({ type: 'container', action, id: container.id, attributes });
}

export function publishNetworkEvent(
  state: EngineState,
  network: NetworkRecord,
  action: string,
  containerId?: string,
): void {
  const container = containerId === undefined ? {} : { container: containerId };
  const attributes = { ...container, name: network.name, type: network.driver };
  state.journal.publish({ type: 'network', action, id: network.id, attributes });
}

export function publishVolumeEvent(state: EngineState, name: string, action: string, attributes: Attributes): void {
  state.journal.publish({ type: 'volume', action, id: name, attributes });
}

/** `id` is the reference for pull and push, and the image's id for everything else. */
export function publishImageEvent(state: EngineState, id: string, action: string, name: string): void {
  state.journal.publish({ type: 'image', action, id, attributes: { name } });
}
