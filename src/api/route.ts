// What a route is, and how it is served: one closed union, so that the compiler finds every place that must
// know a new kind.
import type { Engine } from '../engine/engine.ts';
import type { HeaderChanges } from '../proxy/raw-head.ts';
import type { ApiCall, RequestCall } from './api-call.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

export interface Route {
  readonly method: Method;
  /** "/containers/{name*}/json": `{x}` is one segment, `{x*}` may hold slashes. Matched on the decoded path. */
  readonly pattern: string;
  readonly handling: Handling;
}

/** The request as it goes to an engine. */
export interface Target {
  readonly engine: Engine;
  /** Percent-encoded, without the version: "/containers/<id>/logs". */
  readonly path: string;
  /** Replaces the client's query string; absent: that one, verbatim. */
  readonly search?: string;
  /** Added to the client's headers, or in place of them; undefined removes. */
  readonly headers?: HeaderChanges;
  /** Replaces the Content-Type of a successful answer: engines before API 1.42 do not tell their streams apart. */
  readonly contentType?: string;
  /**
   * Brings the mirror up to what the call changed. Awaited after the engine's success and before the client
   * sees the answer, so that the next list shows the effect. Its presence marks a call with small bodies both ways.
   * `statusCode` is the engine's answer; undefined when there was none.
   */
  readonly settle?: (signal: AbortSignal, statusCode?: number) => Promise<void>;
  /** As `settle`, for an answer that is a stream: awaited when all of it was passed on, before it ends. */
  readonly settleStream?: (signal: AbortSignal) => Promise<void>;
  /** The answer is a stream of JSON objects, the last of which tells of an error when the engine is lost. */
  readonly isProgress?: true;
}

/** Finds the engine that serves the call; throws the ApiError the client gets when there is none. */
export type TargetResolver = (call: RequestCall) => Target | Promise<Target>;

export type Handling =
  /** The manager answers by itself. */
  | { readonly kind: 'answer'; readonly handle: (call: ApiCall) => Promise<void> }
  /** One engine answers; bytes stream both ways. */
  | { readonly kind: 'forward'; readonly target: TargetResolver }
  /**
   * The connection becomes a raw pipe to one engine when the client asks for an upgrade. Without that it does so too
   * ("raw stream", as old clients attach), or the request is forwarded as any other ("plain").
   */
  | { readonly kind: 'hijack'; readonly target: TargetResolver; readonly withoutUpgrade: 'raw stream' | 'plain' };
