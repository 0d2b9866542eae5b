// Times a call over and over, so many at once, and sums up: percentiles of the good answers, and the bad ones.

export interface Measurement {
  readonly what: string;
  readonly atOnce: number;
  readonly calls: number;
  readonly errors: number;
  /** Milliseconds; undefined when no call succeeded. */
  readonly p50: number | undefined;
  readonly p90: number | undefined;
  readonly p99: number | undefined;
  /** Good answers a second. */
  readonly perSecond: number;
  /** Of the first call that failed. */
  readonly firstError: string | undefined;
  /** CPU milliseconds of the manager for each call, its work for events included; undefined for one not ours. */
  readonly cpuMs?: number | undefined;
}

export interface MeasurePlan {
  readonly what: string;
  readonly atOnce: number;
  readonly calls: number;
  /** No call is begun after this time. */
  readonly maxMs: number;
  /** The call; `index` counts from 0. */
  readonly call: (index: number) => Promise<void>;
}

export async function measure({ what, atOnce, calls, maxMs, call }: MeasurePlan): Promise<Measurement> {
  const times: number[] = [];
  const errors: string[] = [];
  const startedAt = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls && performance.now() - startedAt < maxMs) {
      const index = next++;
      const begunAt = performance.now();
      try {
        await call(index);
        times.push(performance.now() - begunAt);
      } catch (error) {
        errors.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  const counts = { calls: times.length + errors.length, errors: errors.length, firstError: errors[0] };
  return { what, atOnce, ...counts, ...percentiles(times), perSecond: times.length / seconds };
}

/** Milliseconds at which that share of `times` was done. */
export function percentiles(times: readonly number[]): Pick<Measurement, 'p50' | 'p90' | 'p99'> {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number | undefined => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
