// What the scheduler sees of the world and what it answers. Everything here is read-only and synchronous:
// a decision is made in one go between two turns of the event loop, so it needs no lock.
import type { Expression } from './expression.ts';

/** A container on a node, or one that is being created there. */
export interface NodeContainer {
  /** Full id; while the engine has not answered yet, a placeholder that is unique in the cluster. */
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Counts as load: running, paused, restarting, or being created, which lasts until the first start; all with `swarm.load=all`. */
  readonly isActive: boolean;
  /** What it counts for in `Node.reservedNanoCpus`; 0 when it is not active. */
  readonly nanoCpus: number;
  /** What it counts for in `Node.reservedMemoryBytes`; 0 when it is not active. */
  readonly memoryBytes: number;
  /** What it asked for of `Node.genericResources`; absent: nothing. */
  readonly resources?: readonly ResourceDemand[] | undefined;
}

/** A container came to a node or left it; one that changes leaves and comes. */
export interface ContainerChange {
  readonly container: NodeContainer;
  readonly isGone: boolean;
}

/** One port of a node's address. */
export interface PublishedPort {
  /** '' means every address of the node. */
  readonly ip: string;
  readonly port: number;
  /** tcp, udp or sctp. */
  readonly protocol: string;
}

/** A published range of which the engine takes any one free port. */
export interface PublishedPortRange {
  readonly ip: string;
  readonly firstPort: number;
  /** Included. */
  readonly lastPort: number;
  readonly protocol: string;
}

/** An engine as the scheduler sees it. */
export interface Node {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Keys: storagedriver kernelversion operatingsystem ostype arch version; a fact that is not known is absent. */
  readonly facts: Readonly<Record<string, string>>;
  readonly apiVersion: { readonly min: string; readonly max: string };
  /** undefined: takes containers; else why it does not, for example "unhealthy: connection refused". */
  readonly refusal: string | undefined;
  readonly totalNanoCpus: number;
  readonly totalMemoryBytes: number;
  readonly reservedNanoCpus: number;
  readonly reservedMemoryBytes: number;
  /** Containers that count as load: see `NodeContainer.isActive`. */
  readonly activeContainers: number;
  /** Stopped ones too. */
  readonly totalContainers: number;
  /** What the node has besides CPU and memory, and how many, those in use too: see `node-resources.ts` for the names. */
  readonly genericResources: ReadonlyMap<string, number>;
  /** Every container, also stopped ones and those being created. */
  containers(): Iterable<NodeContainer>;
  /** Changes with every change of what `containers` answers, so that conclusions can be kept; absent: they cannot. */
  readonly containersRevision?: number;
  /** What came and went since `containersRevision` was `revision`, in that order; undefined when that is not known. */
  containersSince?(revision: number): readonly ContainerChange[] | undefined;
  /** By id, unique id prefix, or name on this node. */
  findContainer(reference: string): NodeContainer | undefined;
  /** Whether an active container or a reservation holds the port; `exceptContainerId` is left out of the count. */
  isPortTaken(port: PublishedPort, exceptContainerId?: string): boolean;
  hasImage(reference: string): boolean;
  /** Ids, `repository:tag` and `repository@digest` of every image; asked only for patterns. */
  imageReferences(): Iterable<string>;
  hasVolume(name: string): boolean;
  /** By id or name; a swarm-scoped network is on every node that can join it. */
  hasNetwork(reference: string): boolean;
}

/** So many of a thing that a node must have; names as in `Node.genericResources`. */
export interface ResourceDemand {
  readonly name: string;
  /** -1: all that the node has, at least one. */
  readonly count: number;
}

/** The only nodes that come into question, for a reason outside the filters. */
export interface PinnedNodes {
  /** Names or ids. */
  readonly nodes: readonly string[];
  /** Shown for every other node, for example "the image is not on this node". */
  readonly reason: string;
}

/** What is known of a container when a node is chosen for it. */
export interface PlacementRequest {
  readonly image: string;
  readonly name: string | undefined;
  /** As written by the user; without the labels that the manager adds. */
  readonly labels: Readonly<Record<string, string>>;
  readonly constraints: readonly Expression[];
  readonly affinities: readonly Expression[];
  readonly whitelists: readonly Expression[];
  readonly tolerations: readonly Expression[];
  /** The container's own choice; undefined: the manager's. */
  readonly strategy: string | undefined;
  readonly ports: readonly PublishedPort[];
  readonly portRanges: readonly PublishedPortRange[];
  /** Ports that a container with the engine's own network will listen on. */
  readonly hostModePorts: readonly PublishedPort[];
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** References of containers that it must sit beside. */
  readonly dependencies: readonly string[];
  /** Named volumes. */
  readonly volumes: readonly string[];
  /** User-defined networks; predefined ones are left out. */
  readonly networks: readonly string[];
  /** `os[/arch[/variant]]`; undefined: any. */
  readonly platform: string | undefined;
  readonly minimumApiVersion?: string | undefined;
  readonly deviceRequests: readonly ResourceDemand[];
  /** Reference of the container that this one takes the place of: what that one holds does not count. */
  readonly replaces?: string | undefined;
  readonly pinnedNodes?: PinnedNodes | undefined;
}

/** One condition a node must meet, compiled from the request by a filter. */
export interface Requirement {
  /** Shown to the user when no node is left, for example "storage==ssd". */
  readonly description: string;
  /** A soft requirement is given up, one at a time, when no node is left. */
  readonly soft: boolean;
  /** True when it asks for a part of what the node can promise to containers. */
  readonly isResource?: boolean;
  /**
   * Requirements of equal keys accept the same nodes, and another answer for a node comes only from a change of its own
   * name, labels, facts or containers: then the answers are kept. Absent: every decision asks anew.
   */
  readonly key?: string | undefined;
  /** True when it is known that no node is accepted, so that none need be looked at to find out. */
  readonly isHopeless?: boolean;
  accepts(node: Node): boolean;
  /** Why `node` was not accepted; without it the description is shown. Called only for refused nodes. */
  reason?(node: Node): string;
}

/** Turns one aspect of a request into requirements. Synchronous, no I/O, no memory that shows. An empty result: no opinion. */
export interface Filter {
  readonly name: string;
  /** `nodes` is every node of the cluster, for rules that look past a single one. Most important rule first. */
  requirements(request: PlacementRequest, nodes: readonly Node[]): readonly Requirement[];
}

/** Orders the nodes that passed every filter, best first. Ties are broken deterministically. */
export interface Strategy {
  readonly name: string;
  /** `everyNode` holds the refused ones too, for orders that look past the candidates. The tail may be left out. */
  rank(request: PlacementRequest, nodes: readonly Node[], everyNode: readonly Node[]): readonly Node[];
  /** What the place of `node` in the order comes from; for explanations. */
  score?(request: PlacementRequest, node: Node): Score;
  /** The order of `rank` in numbers, where it has one: a decision then costs the same however many nodes there are. */
  order?(request: PlacementRequest): NodeOrder;
}

/** The order of the nodes for a request, told node by node, so that it can be kept and mended where a node changed. */
export interface NodeOrder {
  /** Requests with equal keys measure every node alike. */
  readonly key: string;
  /** Must change only when the node's own load, capacity or labels do. */
  measure(node: Node): NodeMeasure;
  /** Those come first among nodes of equal load; asked anew for each request. */
  isPreferred(node: Node): boolean;
}

/** Smaller numbers come first; nodes that are equal in everything follow by name and id. */
export interface NodeMeasure {
  readonly score: number;
  /** Looked at when the scores are equal. */
  readonly containers: number;
  /** Looked at when neither load nor preference tells two nodes apart. */
  readonly tie: number;
}

/** Why a strategy puts a node where it does. */
export interface Score {
  /** By name; their sum is the score. */
  readonly parts: Readonly<Record<string, number>>;
  /** What decides between nodes of one score, by name. */
  readonly ties: Readonly<Record<string, number | string>>;
}

/** Why a container is on its node. */
export interface Decision {
  readonly node: string;
  readonly strategy: string;
  /** How many nodes the strategy chose from; undefined when the best was found without counting the others. */
  readonly candidates: number | undefined;
  readonly nodes: number;
  /** undefined: the strategy gives none. */
  readonly score: Score | undefined;
  /** The soft rules that could not be met. */
  readonly givenUp: readonly string[];
}

export type Placement =
  | {
      readonly kind: 'placed';
      /** Best first; never empty. Of many only those that are worth a try. */
      readonly nodes: readonly Node[];
      /** Why the first one. */
      readonly decision: Decision;
    }
  | {
      readonly kind: 'refused';
      /** Several lines: each node with its first failing reason. Worked out when asked, so ask before a node changes. */
      readonly explanation: string;
      /** What some node does not meet, each once. Worked out when asked, too. */
      readonly conditions: readonly string[];
    };
