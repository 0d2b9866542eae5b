// What the API hands to the cluster to have objects created, and the hooks by which the API's knowledge of
// versions and pulls gets in without the cluster importing it.
import type { CreateBody } from '../docker/types.ts';
import type { Engine } from '../engine/engine.ts';

/** The client's headers that travel with a create, names in lower case: `x-registry-auth`, `traceparent`, ... */
export type ForwardedHeaders = Readonly<Record<string, string>>;

export interface ContainerCreateCall {
  readonly body: CreateBody;
  /** As the client gave it; a leading slash is allowed. */
  readonly name?: string | undefined;
  readonly platform?: string | undefined;
  readonly headers: ForwardedHeaders;
  /** The client's API version. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** The container takes the place and the name of another one. */
  readonly succession?: Succession | undefined;
  /** Told when the outcome is left open though the call has failed, or is not shown yet; and when it is certain after all. */
  readonly doubt?: { readonly begins: () => void; readonly ends: () => void };
}

export interface Succession {
  /** Of the former one, which the new one keeps. */
  readonly swarmId: string;
  /** Volumes of the former one's node that need not be where the new one goes. */
  readonly discardedVolumes: readonly string[];
}

export interface CreatedContainer {
  readonly engine: Engine;
  readonly id: string;
  readonly warnings: readonly string[];
}

export interface NetworkCreateCall {
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: ForwardedHeaders;
  readonly version: string;
  readonly signal: AbortSignal;
}

export interface CreatedNetwork {
  readonly engine: Engine;
  readonly id: string;
  readonly warning: string;
}

export interface VolumeCreateCall {
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: ForwardedHeaders;
  readonly version: string;
  readonly signal: AbortSignal;
}

export interface CreatedVolume {
  readonly engine: Engine;
  /** The engine's answer, or the row of the volume that was there already. */
  readonly row: Readonly<Record<string, unknown>>;
}

/** A create body in the words of the engine that will get it. */
export interface TranslatedCreate {
  readonly body: CreateBody;
  /** The API version of the request to the engine. */
  readonly version: string;
  /** Calls to be made once the container exists, in order; when one fails the container is removed again. */
  readonly followUps: readonly ((containerId: string) => Promise<void>)[];
  readonly warnings: readonly string[];
}

/** Puts a create body into the words of `engine`; throws an ApiError where that would lose meaning. */
export type TranslateCreate = (body: CreateBody, engine: Engine, call: ContainerCreateCall) => TranslatedCreate;

/** Sees to it that `engine` has the image; throws an ApiError when it cannot. */
export type ProvideImage = (
  engine: Engine,
  reference: string,
  options: {
    readonly headers: ForwardedHeaders;
    readonly platform?: string | undefined;
    readonly signal: AbortSignal;
    /** Healthy engines that have the image. */
    readonly sources: readonly Engine[];
  },
) => Promise<void>;

/** Who asks for a build engine: requests of one build must share an engine. */
export interface BuildCaller {
  /** What tells clients apart: the address, or the identity of the TLS client. */
  readonly clientKey: string;
  /** Names of what the request belongs to; requests that share one must reach the same engine. */
  readonly meetings?: readonly string[];
}
