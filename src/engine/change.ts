// What an engine tells those who follow it. A change is told after the mirror shows it, synchronously and in order.
import type { DockerEvent } from '../docker/types.ts';
import type { ContainerRecord } from './container-record.ts';

/** pending: never read completely; unhealthy: the mirror shows the last known state; gone: stopped for good. */
export type EngineState = 'pending' | 'healthy' | 'unhealthy' | 'gone';

export type EngineChange =
  | {
      readonly kind: 'state';
      readonly previous: EngineState;
      readonly state: EngineState;
      readonly reason?: string;
    }
  /** The name, labels, resources or versions changed. */
  | { readonly kind: 'info' }
  /** `before` is absent for a new container, `after` for a removed one. */
  | {
      readonly kind: 'container';
      readonly id: string;
      readonly before: ContainerRecord | undefined;
      readonly after: ContainerRecord | undefined;
    }
  /** The set was replaced. */
  | { readonly kind: 'images' }
  | { readonly kind: 'networks' }
  | { readonly kind: 'volumes' }
  /** Told after the mirror shows the effect of the event, in the engine's order for each container. */
  | { readonly kind: 'event'; readonly event: DockerEvent };

export type EngineListener = (change: EngineChange) => void;
