// Classic mode: the CpuShares that a client writes are whole cores. The engine that was chosen gets the share of its
// own weight that these come to, and what it then reports is read back the same way.
import { goMember, isWireObject, numberMember, withGoMember } from '../../docker/go-member.ts';
import type { CreateBody } from '../../docker/types.ts';
import { coresToShares, nanoCpuDemand, sharesToNanoCpus } from '../../scheduler/resource-demand.ts';

/** `body` for an engine of `engineCpus` cores. A container that is limited by --cpus or a quota keeps its shares. */
export function withClassicShares(body: CreateBody, engineCpus: number): CreateBody {
  return engineCpus <= 0 ? body : withShares(body, (cores) => coresToShares(cores, engineCpus));
}

/** The opposite: `body` as its client wrote it, from what an engine of `engineCpus` cores tells of the container. */
export function withClassicCores(body: CreateBody, engineCpus: number): CreateBody {
  return engineCpus <= 0 ? body : withShares(body, (shares) => sharesToNanoCpus(shares, engineCpus) / 1e9);
}

function withShares(body: CreateBody, convert: (shares: number) => number): CreateBody {
  const host = goMember(body, 'HostConfig');
  const shares = numberMember(host, 'CpuShares');
  if (!isWireObject(host) || shares <= 0) return body;
  const limitNanoCpus = nanoCpuDemand({
    nanoCpus: numberMember(host, 'NanoCpus'),
    cpuQuota: numberMember(host, 'CpuQuota'),
    cpuPeriod: numberMember(host, 'CpuPeriod'),
  });
  if (limitNanoCpus > 0) return body;
  return withGoMember(body, 'HostConfig', withGoMember(host, 'CpuShares', convert(shares)));
}
