// How much CPU and memory a container counts for. One rule for a container that is about to be placed and for
// one that runs, so that the sums of a node are right.

/** `engine`: CPU shares are weights and reserve nothing. `classic`: they are whole cores, as Swarm read them. */
export type CpuMode = 'engine' | 'classic';

export interface CpuLimits {
  readonly nanoCpus: number;
  /** Microseconds in each period; 0 or below: no quota. */
  readonly cpuQuota?: number | undefined;
  /** 0: the kernel's default of 100 ms. */
  readonly cpuPeriod?: number | undefined;
}

const defaultPeriod = 100_000;
const sharesOfOneEngine = 1024;

/** `--cpus` as given, else what quota and period come to. */
export function nanoCpuDemand({ nanoCpus, cpuQuota = 0, cpuPeriod = 0 }: CpuLimits): number {
  if (nanoCpus > 0) return nanoCpus;
  if (cpuQuota <= 0) return 0;
  return Math.round((cpuQuota / (cpuPeriod > 0 ? cpuPeriod : defaultPeriod)) * 1e9);
}

/** The reservation is what a container is promised, so it counts when given; else the limit does. */
export function memoryDemandBytes(limits: { memoryBytes: number; memoryReservationBytes: number }): number {
  return limits.memoryReservationBytes > 0 ? limits.memoryReservationBytes : Math.max(0, limits.memoryBytes);
}

/** Classic mode: the shares that an engine of `engineCpus` cores is given for `cores`. */
export function coresToShares(cores: number, engineCpus: number): number {
  return Math.ceil((cores * sharesOfOneEngine) / Math.max(1, engineCpus));
}

/** Classic mode: the nano CPUs that a container on an engine of `engineCpus` cores holds, from the shares it was given. */
export function sharesToNanoCpus(shares: number, engineCpus: number): number {
  return Math.floor((shares * engineCpus) / sharesOfOneEngine) * 1e9;
}
