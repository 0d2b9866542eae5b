// The parts of Docker's wire bodies that we read. Fields keep Docker's spelling; everything else in a body is
// passed on as it came, which the index signatures stand for.

/** A JSON object whose fields are not all known to us. */
export type WireObject = Readonly<Record<string, unknown>>;

/** A published or exposed port of a row of GET /containers/json. */
export interface PortRow extends WireObject {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

export interface MountPoint extends WireObject {
  readonly Type?: string;
  readonly Name?: string;
  readonly Source?: string;
  readonly Destination?: string;
  readonly Driver?: string;
  readonly Mode?: string;
  readonly RW?: boolean;
}

export interface EndpointSettings extends WireObject {
  readonly NetworkID?: string;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly IPAddress?: string;
}

/** A row of GET /containers/json. */
export interface ContainerRow extends WireObject {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command?: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly Ports?: readonly PortRow[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly State?: string;
  readonly Status?: string;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly HostConfig?: WireObject & { readonly NetworkMode?: string };
  readonly NetworkSettings?: WireObject & { readonly Networks?: Readonly<Record<string, EndpointSettings>> | null };
  readonly Mounts?: readonly MountPoint[] | null;
}

export interface PortBinding extends WireObject {
  readonly HostIp?: string;
  /** A port, a range "8000-8010", or '' for one that the engine chooses. */
  readonly HostPort?: string;
}

/** Keys are "80/tcp". */
export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>;

export interface Mount extends WireObject {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
}

export interface DeviceRequestBody extends WireObject {
  readonly Driver?: string;
  /** -1: all. */
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[] | null;
  readonly Capabilities?: readonly (readonly string[])[] | null;
}

export interface HostConfig extends WireObject {
  readonly NetworkMode?: string;
  readonly IpcMode?: string;
  readonly PidMode?: string;
  readonly AutoRemove?: boolean;
  readonly Binds?: readonly string[] | null;
  readonly Mounts?: readonly Mount[] | null;
  readonly VolumesFrom?: readonly string[] | null;
  readonly Links?: readonly string[] | null;
  readonly PortBindings?: PortMap | null;
  readonly NanoCpus?: number;
  readonly CpuShares?: number;
  /** Microseconds in each `CpuPeriod`. */
  readonly CpuQuota?: number;
  readonly CpuPeriod?: number;
  readonly Memory?: number;
  readonly MemoryReservation?: number;
  readonly Runtime?: string;
  readonly DeviceRequests?: readonly DeviceRequestBody[] | null;
  readonly RestartPolicy?: WireObject & { readonly Name?: string; readonly MaximumRetryCount?: number };
}

export interface ContainerState extends WireObject {
  /** created running paused restarting removing exited dead */
  readonly Status?: string;
  readonly Running?: boolean;
  readonly Paused?: boolean;
  readonly Restarting?: boolean;
  readonly Dead?: boolean;
  readonly ExitCode?: number;
  readonly StartedAt?: string;
  readonly FinishedAt?: string;
  readonly Health?: (WireObject & { readonly Status?: string }) | null;
}

export interface ContainerConfigBody extends WireObject {
  readonly Image?: string;
  readonly Env?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
  readonly Tty?: boolean;
}

/** GET /containers/{id}/json. */
export interface ContainerInspect extends WireObject {
  readonly Id: string;
  /** With the leading slash. */
  readonly Name: string;
  /** RFC 3339 with nanoseconds. */
  readonly Created: string;
  /** The image's id. */
  readonly Image: string;
  readonly State?: ContainerState;
  readonly Config?: ContainerConfigBody;
  readonly HostConfig?: HostConfig;
  readonly NetworkSettings?: WireObject & {
    readonly Ports?: PortMap | null;
    readonly Networks?: Readonly<Record<string, EndpointSettings>> | null;
  };
  readonly Mounts?: readonly MountPoint[] | null;
}

/** The body of POST /containers/create as it came: members may be written in any case, see `goMember`. */
export type CreateBody = WireObject;

/** A row of GET /images/json. */
export interface ImageRow extends WireObject {
  readonly Id: string;
  readonly ParentId?: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  /** Unix seconds. */
  readonly Created: number;
  readonly Size?: number;
  readonly SharedSize?: number;
  readonly VirtualSize?: number;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Containers?: number;
}

/** A row of GET /networks. */
export interface NetworkRow extends WireObject {
  readonly Id: string;
  readonly Name: string;
  readonly Created?: string;
  /** local, swarm or global. */
  readonly Scope?: string;
  readonly Driver?: string;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Containers?: Readonly<Record<string, WireObject>> | null;
}

/** An element of `Volumes` of GET /volumes. */
export interface VolumeRow extends WireObject {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint?: string;
  readonly CreatedAt?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  /** local or global. */
  readonly Scope?: string;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly UsageData?: (WireObject & { readonly Size?: number; readonly RefCount?: number }) | null;
}

export interface GenericResource extends WireObject {
  readonly NamedResourceSpec?: WireObject & { readonly Kind?: string; readonly Value?: string };
  readonly DiscreteResourceSpec?: WireObject & { readonly Kind?: string; readonly Value?: number };
}

/** GET /info. */
export interface EngineInfo extends WireObject {
  readonly ID?: string;
  readonly Name?: string;
  readonly NCPU?: number;
  readonly MemTotal?: number;
  readonly Driver?: string;
  readonly KernelVersion?: string;
  readonly OperatingSystem?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly ServerVersion?: string;
  readonly ExperimentalBuild?: boolean;
  /** "key=value" */
  readonly Labels?: readonly string[] | null;
  readonly Warnings?: readonly string[] | null;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly GenericResources?: readonly GenericResource[] | null;
  readonly DiscoveredDevices?: readonly (WireObject & { readonly Source?: string; readonly ID?: string })[] | null;
  readonly Swarm?: WireObject & {
    readonly NodeID?: string;
    readonly LocalNodeState?: string;
    readonly ControlAvailable?: boolean;
    readonly Cluster?: (WireObject & { readonly ID?: string }) | null;
  };
}

/** GET /version. */
export interface EngineVersion extends WireObject {
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
  readonly Os?: string;
  readonly Arch?: string;
  readonly KernelVersion?: string;
}

/** One message of GET /events. */
export interface DockerEvent extends WireObject {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: WireObject & { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  readonly scope?: string;
  /** Unix seconds. */
  readonly time: number;
  /** Beyond 2^53 as a number: good for order within an engine, not for arithmetic. */
  readonly timeNano: number;
  /** `timeNano` exactly; absent on events that no engine sent. Never sent itself. */
  readonly timeNanoDigits?: string;
  /** Sent by engines before API 1.52. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}
