// What was seen and done in a chaos run: written by its clients and onlookers, judged by the checker.

/** The label with which each create of a client is told from every other. */
export const nonceLabel = 'chaos.nonce';

/** A container that a client has asked for, as the client knows it. */
export interface Belief {
  readonly client: string;
  readonly nonce: string;
  /** Now; both of a renaming whose outcome is not known. */
  names: readonly string[];
  /** `perhaps`: asked for, and nobody knows. `removing`: as `perhaps`, of the removal. */
  state: 'perhaps' | 'created' | 'refused' | 'removing' | 'removed';
  /** Which the client was told, or has seen. */
  readonly ids: Set<string>;
  /** Its node may lose it to another. */
  readonly mayMove: boolean;
}

export interface SeenContainer {
  readonly node: string;
  readonly id: string;
  readonly name: string;
  /** Empty for one that no client has asked for. */
  readonly nonce: string;
  readonly isRunning: boolean;
}

export interface SeenVolume {
  readonly node: string;
  readonly name: string;
  /** What its first container has written; undefined while nothing has. */
  readonly content: string | undefined;
}

export interface ClientAnswer {
  readonly client: string;
  readonly operation: string;
  readonly manager: string;
  /** On the clock of the machine. */
  readonly sentMs: number;
  readonly tookMs: number;
  /** 0: there was none. */
  readonly status: number;
  /** Of a refusal; undefined where the answer has none. */
  readonly message: string | undefined;
}

/** Something that a client found wrong at once. */
export interface Complaint {
  readonly atMs: number;
  readonly rule: string;
  readonly text: string;
}

/** A request that may change an engine, as it went over the wire. */
export interface Write {
  readonly atMs: number;
  readonly manager: string;
  readonly node: string;
  readonly what: string;
}

export interface Term {
  readonly startMs: number;
  readonly manager: string;
  readonly term: number;
}

/** The containers that one manager shows. */
export interface ManagerView {
  readonly manager: string;
  readonly containers: readonly { readonly id: string; readonly name: string }[];
}

export interface History {
  readonly beliefs: readonly Belief[];
  readonly answers: readonly ClientAnswer[];
  readonly complaints: readonly Complaint[];
  /** Ever seen on an engine. */
  readonly everSeen: readonly SeenContainer[];
  readonly everVolumes: readonly SeenVolume[];
  readonly writes: readonly Write[];
  readonly terms: readonly Term[];
}

/** What there is when everything is healed. */
export interface FinalState {
  readonly containers: readonly SeenContainer[];
  readonly volumes: readonly SeenVolume[];
  readonly views: readonly ManagerView[];
}
