// What an engine says about itself that others rely on.
import { compareApiVersion, maxApiVersion, minApiVersion } from '../docker/api-version.ts';
import type { EngineInfo, EngineVersion } from '../docker/types.ts';
import { IncompatibleEngine } from './health.ts';

export interface ApiVersionRange {
  readonly min: string;
  readonly max: string;
}

/** Engines before 1.25 do not tell their oldest version. */
export function apiVersionRange(version: EngineVersion): ApiVersionRange {
  const max = version.ApiVersion ?? minApiVersion;
  return { min: version.MinAPIVersion ?? minApiVersion, max };
}

/** The newest version that the engine and the manager both speak. Throws IncompatibleEngine when there is none. */
export function commonApiVersion({ min, max }: ApiVersionRange): string {
  const common = compareApiVersion(max, maxApiVersion) < 0 ? max : maxApiVersion;
  if (compareApiVersion(common, min) >= 0 && compareApiVersion(common, minApiVersion) >= 0) return common;
  throw new IncompatibleEngine(
    `the engine speaks API ${min} to ${max}, this manager speaks ${minApiVersion} to ${maxApiVersion}`,
  );
}

/** "key=value" labels as a record; the last one of a key counts, and a label without "=" has the value "". */
export function engineLabels(info: EngineInfo | undefined): Readonly<Record<string, string>> {
  const pairs = (info?.Labels ?? []).map((label): readonly [string, string] => {
    const [key = '', ...value] = label.split('=');
    return [key, value.join('=')];
  });
  return Object.fromEntries(pairs);
}

/** The part of an info that is not counters and clocks. */
export function lastingInfo(info: EngineInfo | undefined): object {
  const lasting = Object.entries(info ?? {}).filter(([field]) => !passingFields.has(field));
  return Object.fromEntries(lasting);
}

const passingFields: ReadonlySet<string> = new Set([
  'SystemTime',
  'NFd',
  'NGoroutines',
  'NEventsListener',
  'Containers',
  'ContainersRunning',
  'ContainersPaused',
  'ContainersStopped',
  'Images',
  'DriverStatus',
]);

/** Whether a ping's word on swarm mode, "active/manager" for instance, is news; engines before API 1.42 say nothing. */
export function contradictsInfo(swarm: string, info: EngineInfo | undefined): boolean {
  const { LocalNodeState = '', ControlAvailable } = info?.Swarm ?? {};
  if (swarm === '' || LocalNodeState === '') return false;
  if (LocalNodeState !== 'active') return swarm !== LocalNodeState;
  return swarm !== `active/${ControlAvailable === true ? 'manager' : 'worker'}`;
}

/** "host:port" or "[address]:port"; the port is 2375 where none is given. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(address);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined) throw new Error(`"${address}" is not an address of an engine (host:port)`);
  return { host, port: Number(parts?.[3] ?? '2375') };
}
