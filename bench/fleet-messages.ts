// What the benchmark and the process of its simulated engines say to each other.

export interface FleetPlan {
  readonly nodes: number;
  readonly containers: number;
  /** How long every engine takes to begin an answer. */
  readonly latencyMs: number;
}

/**
 * hang: connections are accepted and not answered; refuse: they are refused; slow: each answer takes half a second
 * longer; drop: the event streams end each second.
 */
export type FleetFault = 'hang' | 'refuse' | 'slow' | 'drop';

/** Nodes count from 1. */
export type FleetRequest =
  | { readonly kind: 'start'; readonly plan: FleetPlan }
  /** A container appears on an engine without the manager's doing. */
  | { readonly kind: 'create'; readonly node: number; readonly name: string }
  /** It goes the same way, if it is there. */
  | { readonly kind: 'remove'; readonly node: number; readonly name: string }
  | { readonly kind: 'fault'; readonly fault: FleetFault; readonly firstNode: number; readonly count: number }
  /** The event streams of an engine end once. */
  | { readonly kind: 'drop events'; readonly node: number }
  /** An engine loses all connections and refuses new ones for a while. Answered when it is back. */
  | { readonly kind: 'restart'; readonly node: number; readonly downMs: number }
  /** Asks how many containers all engines have. */
  | { readonly kind: 'count' };

export interface FleetCall {
  /** Told again in the answer. */
  readonly call: number;
  readonly request: FleetRequest;
}

export interface FleetAnswer {
  readonly call: number;
  readonly addresses?: readonly string[];
  readonly containers?: number;
  /** Milliseconds since 1970, with fractions: when the work was begun. */
  readonly atMs: number;
  readonly error?: string;
}

/** The name of a node; the number counts from 1. */
export function nodeName(node: number): string {
  return `node-${String(node).padStart(5, '0')}`;
}

/** The containers of one node share this label, and no others have it. */
export function groupLabel(node: number): string {
  return `bench.group=${nodeName(node)}`;
}

/** Milliseconds since 1970 by the clock that both processes share. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
