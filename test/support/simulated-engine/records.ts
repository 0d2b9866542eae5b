// What a simulated engine remembers. Lifecycle functions are the only writers of these records.
import type { SwarmMembers } from './swarm-members.ts';
import type { JsonObject } from './json.ts';

export type ContainerStatus = 'created' | 'running' | 'paused' | 'exited';

export interface Endpoint {
  /** Empty while the network is unknown: the engine looks it up when the container starts. */
  networkId: string;
  /** Empty while the container does not run. */
  endpointId: string;
  ipAddress: string;
  readonly config: JsonObject;
}

export interface MountPoint {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

export interface PublishedPort {
  readonly privatePort: number;
  readonly type: string;
  /** Absence means that the port is exposed but not published. */
  readonly publicPort?: number;
  readonly hostIp?: string;
}

export interface OutputLine {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
  readonly timeNano: bigint;
}

export type ContainerChange =
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'remove' }
  | { readonly kind: 'output'; readonly line: OutputLine };

export interface ContainerRecord {
  readonly id: string;
  name: string;
  readonly createdNano: bigint;
  /** The create request's body as parsed, with nothing added or taken away. */
  readonly body: JsonObject;
  /** The bytes of the create request's body as text; absent for a container that no request made. */
  readonly bodyText?: string;
  readonly imageReference: string;
  readonly imageId: string;
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly tty: boolean;
  /** What `update` changed in `HostConfig`. */
  resources: JsonObject;
  status: ContainerStatus;
  pid: number;
  exitCode: number;
  startedNano: bigint;
  finishedNano: bigint;
  restartCount: number;
  stdinClosed: boolean;
  stoppedByUser: boolean;
  readonly mounts: readonly MountPoint[];
  /** By network name, or by the reference given when there is no such network. */
  readonly endpoints: Map<string, Endpoint>;
  ports: readonly PublishedPort[];
  readonly output: OutputLine[];
  readonly listeners: Set<(change: ContainerChange) => void>;
  /** What clients were shown; empty after each change. */
  texts: ContainerTexts;
}

export interface ContainerTexts {
  /** The list row without the text of its status, in two pieces between which that belongs. */
  row?: readonly [string, string];
  /** The inspect document as it was asked for last. */
  inspect?: { readonly apiVersion: string; readonly json: Buffer };
}

export interface ImageRecord {
  readonly id: string;
  repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly createdNano: bigint;
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly env: readonly string[];
}

export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly scope: string;
  readonly createdNano: bigint;
  readonly subnet: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

export interface VolumeRecord {
  readonly name: string;
  readonly driver: string;
  readonly createdNano: bigint;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly isAnonymous: boolean;
}

export interface PluginRecord {
  readonly id: string;
  readonly name: string;
  isEnabled: boolean;
}

export interface ExecRecord {
  readonly id: string;
  readonly containerId: string;
  readonly body: JsonObject;
  status: 'created' | 'running' | 'ended';
  exitCode: number;
}

export interface EngineSettings {
  readonly name: string;
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly apiVersion: string;
  readonly minApiVersion: string;
  readonly clockSkewMs: number;
  readonly swarms: SwarmMembers;
}
