// Where the objects of the cluster are: what a resolved reference names. Plain values, made by the indices and
// good for the moment of the call only.
import type { ImageRow, NetworkRow, VolumeRow } from '../docker/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { ContainerRecord } from '../engine/mirror.ts';

export interface ContainerLocation {
  readonly engine: Engine;
  readonly record: ContainerRecord;
}

/** Containers that follow each other in the list of all, the newest first. Never changed, only replaced. */
export type ContainerBlock = readonly ContainerLocation[];

/** A network; the engines that have it, the one to ask first in front. A swarm-scoped network has several. */
export interface NetworkLocation {
  readonly engines: readonly [Engine, ...Engine[]];
  readonly row: NetworkRow;
}

export interface VolumeLocation {
  readonly engine: Engine;
  readonly row: VolumeRow;
}

/** An image; the engines that have it in the order of their names, so that answers do not flip between calls. */
export interface ImageLocation {
  readonly engines: readonly [Engine, ...Engine[]];
  readonly row: ImageRow;
}

/** How the cluster calls an engine: unique among the members, even when machines were cloned. */
export interface NodeIdentity {
  readonly id: string;
  readonly name: string;
}

/** Two members that report the same id or the same name. */
export interface IdentityConflict {
  readonly kind: 'id' | 'name';
  /** The id or name that both report. */
  readonly value: string;
  /** Addresses, the one that keeps the plain id or name first. */
  readonly addresses: readonly string[];
}

/** What an engine is in swarm mode. */
export interface SwarmState {
  /** manager, worker, or the engine's own word where it is not an active member: inactive, pending, error, locked. */
  readonly role: string;
  /** What keeps it out of the swarm of the others. */
  readonly note: string | undefined;
}
