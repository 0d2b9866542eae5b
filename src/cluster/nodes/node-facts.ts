// What placement reads from an engine's info, in the words of constraints; and what a container of it counts for.
import type { EngineInfo } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import { nodeResources } from '../../scheduler/node-resources.ts';
import { memoryDemandBytes, sharesToNanoCpus } from '../../scheduler/resource-demand.ts';
import type { CpuMode } from '../../scheduler/resource-demand.ts';

export interface NodeFacts {
  readonly labels: Readonly<Record<string, string>>;
  /** storagedriver kernelversion operatingsystem ostype arch version, as far as known. */
  readonly facts: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly genericResources: ReadonlyMap<string, number>;
}

export function readNodeFacts({ info = {}, labels }: Pick<Engine, 'info' | 'labels'>): NodeFacts {
  return {
    labels,
    facts: factsOf(info),
    cpus: info.NCPU ?? 0,
    memoryBytes: info.MemTotal ?? 0,
    genericResources: nodeResources(info, labels),
  };
}

/** What a container that is active holds of its node. */
export function demandOf(
  { details }: ContainerRecord,
  cpus: number,
  cpuMode: CpuMode,
): { readonly nanoCpus: number; readonly memoryBytes: number } {
  if (details === undefined) return { nanoCpus: 0, memoryBytes: 0 };
  const isClassic = cpuMode === 'classic' && details.nanoCpus === 0;
  return {
    nanoCpus: isClassic ? sharesToNanoCpus(details.cpuShares, cpus) : details.nanoCpus,
    memoryBytes: memoryDemandBytes(details),
  };
}

function factsOf(info: EngineInfo): Readonly<Record<string, string>> {
  const facts = {
    storagedriver: info.Driver,
    kernelversion: info.KernelVersion,
    operatingsystem: info.OperatingSystem,
    ostype: info.OSType,
    arch: info.Architecture,
    version: info.ServerVersion,
  };
  return Object.fromEntries(Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== undefined));
}
