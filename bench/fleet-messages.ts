// What the benchmark and the process of its simulated engines say to each other.

export interface FleetPlan {
  readonly nodes: number;
  readonly containers: number;
}

export type FleetRequest =
  | { readonly kind: 'start'; readonly plan: FleetPlan }
  /** A container appears on an engine without the manager's doing. */
  | { readonly kind: 'create'; readonly node: number; readonly name: string }
  /** The first `count` engines accept connections and answer no more. */
  | { readonly kind: 'hang'; readonly count: number };

/** Exactly one for each request, in their order. */
export interface FleetAnswer {
  readonly addresses?: readonly string[];
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
