// What placement, lists and status texts need from a container's inspect. Every field may be missing on some
// engine: it then gets the value that claims nothing.
import type { ContainerInspect, HostConfig, PortMap } from '../docker/types.ts';
import { parseRfc3339, parseTimeMs } from '../docker/docker-time.ts';

/** A port of the engine's host that a container takes. */
export interface HostPort {
  /** '' is every address. */
  readonly ip: string;
  readonly port: number;
  /** tcp, udp or sctp. */
  readonly protocol: string;
}

/** A range of host ports of which the engine takes one when the container starts. */
export interface HostPortRange {
  readonly ip: string;
  readonly firstPort: number;
  /** Included. */
  readonly lastPort: number;
  readonly protocol: string;
}

export interface ContainerDetails {
  /** Nanoseconds since 1970, for the order of containers made in the same second. */
  readonly createdNs: bigint;
  /** undefined: never started. */
  readonly startedAtMs: number | undefined;
  /** undefined: never ended. */
  readonly finishedAtMs: number | undefined;
  readonly exitCode: number;
  /** created running paused restarting removing exited dead */
  readonly state: string;
  /** True while paused or restarting too, as the engine has it. */
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly isRestarting: boolean;
  /** starting healthy unhealthy; undefined without a health check. */
  readonly health: string | undefined;
  /** `--cpus`, or the quota as a share of its period. 0: no limit. */
  readonly nanoCpus: number;
  readonly cpuShares: number;
  readonly memoryBytes: number;
  readonly memoryReservationBytes: number;
  /** Fixed host ports asked for, and those the engine chose; asked-for ones are listed of stopped containers too. */
  readonly publishedPorts: readonly HostPort[];
  /** undefined: no ranges are published, which is nearly always so. */
  readonly portRanges: readonly HostPortRange[] | undefined;
  /** Of `--gpus` and the like, as the engine has them; undefined: none. */
  readonly deviceRequests: readonly unknown[] | undefined;
  /** Ports that a container in the host's network namespace exposes. */
  readonly hostModePorts: readonly HostPort[];
  readonly autoRemove: boolean;
  readonly volumeNames: readonly string[];
  readonly networkMode: string;
  readonly tty: boolean;
}

export function parseContainerDetails(inspect: ContainerInspect): ContainerDetails {
  const { State: state = {}, HostConfig: host = {}, Config: config = {} } = inspect;
  const networkMode = host.NetworkMode ?? 'default';
  return {
    createdNs: parseRfc3339(inspect.Created) ?? 0n,
    startedAtMs: parseTimeMs(state.StartedAt),
    finishedAtMs: parseTimeMs(state.FinishedAt),
    exitCode: state.ExitCode ?? 0,
    state: state.Status ?? (state.Running === true ? 'running' : 'exited'),
    isRunning: state.Running ?? false,
    isPaused: state.Paused ?? false,
    isRestarting: state.Restarting ?? false,
    health: healthOf(state.Health?.Status),
    nanoCpus: nanoCpus(host),
    cpuShares: host.CpuShares ?? 0,
    memoryBytes: host.Memory ?? 0,
    memoryReservationBytes: host.MemoryReservation ?? 0,
    publishedPorts: publishedPorts(host.PortBindings, inspect.NetworkSettings?.Ports),
    portRanges: noneIfEmpty(portRanges(host.PortBindings)),
    deviceRequests: noneIfEmpty(host.DeviceRequests ?? []),
    hostModePorts: networkMode === 'host' ? exposedPorts(Object.keys(config.ExposedPorts ?? {})) : [],
    autoRemove: host.AutoRemove ?? false,
    volumeNames: volumeNames(inspect),
    networkMode,
    tty: config.Tty ?? false,
  };
}

function healthOf(status: string | undefined): string | undefined {
  return status === undefined || status === '' || status === 'none' ? undefined : status;
}

/** 0 stands for "not given" in each of the fields; the kernel's period is then 100 ms. */
function nanoCpus({ NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0 }: HostConfig): number {
  if (NanoCpus > 0) return NanoCpus;
  return CpuQuota > 0 ? Math.round((CpuQuota / (CpuPeriod > 0 ? CpuPeriod : 100_000)) * 1e9) : 0;
}

function publishedPorts(asked: PortMap | null | undefined, actual: PortMap | null | undefined): readonly HostPort[] {
  const ports = [...fixedPorts(asked), ...fixedPorts(actual)];
  return [...new Map(ports.map((port) => [`${port.ip} ${port.port}/${port.protocol}`, port])).values()];
}

/** Bindings to exactly one port: '' and ranges leave the choice to the engine, which shows it once it has chosen. */
function fixedPorts(bindings: PortMap | null | undefined): HostPort[] {
  return Object.entries(bindings ?? {}).flatMap(([containerPort, hosts]) =>
    (hosts ?? []).flatMap(({ HostIp: ip = '', HostPort: text = '' }) => {
      if (!/^\d+$/.test(text) || Number(text) === 0) return [];
      return [{ ip: isAnyAddress(ip) ? '' : ip, port: Number(text), protocol: protocolOf(containerPort) }];
    }),
  );
}

function portRanges(bindings: PortMap | null | undefined): HostPortRange[] {
  return Object.entries(bindings ?? {}).flatMap(([containerPort, hosts]) =>
    (hosts ?? []).flatMap(({ HostIp: ip = '', HostPort: text = '' }) => {
      const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? [];
      if (first === undefined || last === undefined || first === last) return [];
      const address = isAnyAddress(ip) ? '' : ip;
      return [{ ip: address, firstPort: Number(first), lastPort: Number(last), protocol: protocolOf(containerPort) }];
    }),
  );
}

function noneIfEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function isAnyAddress(ip: string): boolean {
  return ip === '' || ip === '0.0.0.0' || ip === '::';
}

function exposedPorts(names: readonly string[]): readonly HostPort[] {
  return names.flatMap((name) => {
    const port = Number.parseInt(name, 10);
    return Number.isNaN(port) ? [] : [{ ip: '', port, protocol: protocolOf(name) }];
  });
}

/** Of "80/tcp" or "80". */
function protocolOf(containerPort: string): string {
  return containerPort.split('/')[1] ?? 'tcp';
}

function volumeNames(inspect: ContainerInspect): readonly string[] {
  return (inspect.Mounts ?? []).flatMap(({ Type, Name }) => (Type === 'volume' && Name !== undefined ? [Name] : []));
}
