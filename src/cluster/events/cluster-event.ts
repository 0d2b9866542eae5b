// An event of the cluster: an engine's own, untouched but for the marks of the node it comes from.
import type { DockerEvent, WireObject } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { NodeIdentity } from '../locations.ts';

export interface EventNode extends WireObject {
  readonly Name: string;
  readonly Id: string;
  /** host:port */
  readonly Addr: string;
  readonly Ip: string;
}

/** An event with `node.name`, `node.id`, `node.addr` and `node.ip` among its attributes and `node` beside them. */
export interface ClusterEvent extends DockerEvent {
  readonly node: EventNode;
}

export function markEvent(event: DockerEvent, engine: Engine, { id, name }: NodeIdentity): ClusterEvent {
  const { address, host } = engine;
  const marks = { 'node.name': name, 'node.id': id, 'node.addr': address, 'node.ip': host };
  return {
    ...event,
    Actor: { ...event.Actor, Attributes: { ...event.Actor.Attributes, ...marks } },
    node: { Name: name, Id: id, Addr: address, Ip: host },
  };
}

/** Equal for two reports of one event. */
export function eventKey({ timeNano, timeNanoDigits, Type, Action, Actor, node }: ClusterEvent): string {
  return `${timeNanoDigits ?? timeNano} ${Type} ${Action} ${Actor.ID} ${node.Id}`;
}
