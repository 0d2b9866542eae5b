// What a rule of translation is: a feature, the API version that brought it, and what is done with a request that
// comes from the other side of that version. Rules only read and rewrite values; they never ask anyone.
import type { ApiWindow } from '../api-version.ts';
import type { WireObject } from '../types.ts';

/** The requests whose bodies are translated. */
export type Operation = 'create container' | 'update container' | 'create exec' | 'connect network';

/** What rules need to know of the engine that gets the request. */
export interface EngineFacts {
  /** As the user knows it. */
  readonly name: string;
  readonly apiVersion: ApiWindow;
  /** "1" or "2"; empty when it is not known. */
  readonly cgroupVersion: string;
  /** The id of the network that a name, an id or the beginning of one means on the engine; `reference` itself when none does. */
  networkId(reference: string): string;
}

/** A network to be joined by the container once it exists. */
export interface FollowUp {
  readonly network: string;
  readonly endpoint: WireObject;
}

export interface Emulation {
  readonly body: WireObject;
  readonly followUps?: readonly FollowUp[];
  /** Said to the user. */
  readonly warnings?: readonly string[];
}

interface Feature {
  readonly operation: Operation;
  /** The API version that brought it or changed it. */
  readonly since: string;
}

/** Whether a body makes use of a feature. */
type Test = (body: WireObject) => boolean;

/** For a request that is newer than the engine. */
export type OlderEngineRule = Feature &
  (
    | { readonly kind: 'warn'; readonly isUsed: Test; readonly effect: string }
    /** Must not get to an older engine; at a create the node is chosen accordingly. */
    | { readonly kind: 'require'; readonly isUsed: Test; readonly feature: string }
    | { readonly kind: 'rewrite'; readonly rewrite: (body: WireObject) => WireObject }
    | {
        readonly kind: 'emulate';
        readonly emulate: (body: WireObject, engine: EngineFacts) => Emulation;
        /** Clients use it whatever version they speak. */
        readonly clients: 'all' | 'newer';
      }
  );

/** For a request that is older than the oldest version that the engine speaks: the engine would have done the same for it. */
export type NewerEngineRule = Feature &
  (
    | { readonly kind: 'refuse'; readonly isUsed: Test; readonly feature: string }
    | { readonly kind: 'rewrite'; readonly rewrite: (body: WireObject, engine: EngineFacts) => WireObject }
  );
