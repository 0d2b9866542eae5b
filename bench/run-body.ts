// The body of a create as `docker run` sends it: most of its members say nothing, and all of them are read.
import type { CreateBody } from '../src/docker/types.ts';

export const image = 'nginx:1.27';

export interface RunOptions {
  readonly environment?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, number>>;
}

export function runBody({ environment = [], labels = {}, limits = {} }: RunOptions): CreateBody {
  return {
    ...{ Hostname: '', Domainname: '', User: '', AttachStdin: false, AttachStdout: false, AttachStderr: false },
    ...{ Tty: false, OpenStdin: false, StdinOnce: false, Env: ['LANG=C.UTF-8', 'TZ=UTC', ...environment], Cmd: null },
    ...{ Image: image, Volumes: {}, WorkingDir: '', Entrypoint: null, Labels: labels },
    HostConfig: {
      ...{ Binds: null, ContainerIDFile: '', LogConfig: { Type: '', Config: {} }, NetworkMode: 'default' },
      ...{ PortBindings: {}, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, AutoRemove: false, VolumeDriver: '' },
      ...{ VolumesFrom: null, ConsoleSize: [40, 120], CapAdd: null, CapDrop: null, CgroupnsMode: '', Dns: [] },
      ...{ DnsOptions: [], DnsSearch: [], ExtraHosts: null, GroupAdd: null, IpcMode: '', Cgroup: '', Links: null },
      ...{ OomScoreAdj: 0, PidMode: '', Privileged: false, PublishAllPorts: false, ReadonlyRootfs: false },
      ...{ SecurityOpt: null, UTSMode: '', UsernsMode: '', ShmSize: 0, Isolation: '', CpuShares: 0, Memory: 0 },
      ...{ NanoCpus: 0, CgroupParent: '', BlkioWeight: 0, BlkioWeightDevice: [], BlkioDeviceReadBps: [] },
      ...{ BlkioDeviceWriteBps: [], BlkioDeviceReadIOps: [], BlkioDeviceWriteIOps: [], CpuPeriod: 0, CpuQuota: 0 },
      ...{ CpuRealtimePeriod: 0, CpuRealtimeRuntime: 0, CpusetCpus: '', CpusetMems: '', Devices: [] },
      ...{ DeviceCgroupRules: null, DeviceRequests: null, MemoryReservation: 0, MemorySwap: 0 },
      ...{ MemorySwappiness: -1, OomKillDisable: false, PidsLimit: 0, Ulimits: [], CpuCount: 0, CpuPercent: 0 },
      ...{ IOMaximumIOps: 0, IOMaximumBandwidth: 0, MaskedPaths: null, ReadonlyPaths: null },
      ...limits,
    },
    NetworkingConfig: { EndpointsConfig: { default: { IPAMConfig: null, Links: null, Aliases: null } } },
  };
}
