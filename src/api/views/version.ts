// The answer of GET /version: one engine, as clients expect it, with the product as its platform.
import { maxApiVersion, minApiVersion } from '../../docker/api-version.ts';
import type { ApiSettings } from '../settings.ts';

/**
 * The Docker Engine whose API the manager speaks. Clients and test suites parse it as a version and switch
 * features by it, so the product's own version stands beside it, not in its place.
 */
export const equivalentEngineVersion = '28.5.2';

/** Facts of the machines below that scripts read; those of one node, as nothing better is true of all. */
export interface HostFacts {
  readonly os: string;
  readonly arch: string;
  readonly kernelVersion: string;
}

export function toVersion(settings: ApiSettings, host: HostFacts): Record<string, unknown> {
  const common = {
    ApiVersion: maxApiVersion,
    MinAPIVersion: minApiVersion,
    GitCommit: settings.gitCommit,
    GoVersion: '',
    Os: host.os,
    Arch: host.arch,
    KernelVersion: host.kernelVersion,
    BuildTime: settings.buildTime,
  };
  return {
    Platform: { Name: `Shoal ${settings.version}` },
    Components: [
      { Name: 'Engine', Version: equivalentEngineVersion, Details: { ...common, Experimental: 'false' } },
      { Name: 'shoal', Version: settings.version, Details: { GitCommit: settings.gitCommit } },
    ],
    Version: equivalentEngineVersion,
    ...common,
  };
}
