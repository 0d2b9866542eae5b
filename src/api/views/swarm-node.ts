// A member in the shape of a swarm-mode node, so that `docker node ls`, `inspect` and `ps` show the cluster.
import type { NodeFacts } from './node-facts.ts';

const states: Readonly<Record<string, string>> = {
  Healthy: 'ready',
  Pending: 'unknown',
  Unhealthy: 'down',
  Disconnected: 'disconnected',
};

/** None is a manager: managers of this cluster are no engines. */
export const nodeRole = 'worker';

export interface SwarmNode {
  readonly ID: string;
  readonly Spec: {
    readonly Name: string;
    readonly Role: string;
    readonly Availability: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly Description: {
    readonly Hostname: string;
    readonly Engine: { readonly Labels: Readonly<Record<string, string>> } & Readonly<Record<string, unknown>>;
  } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** `staying`: what it keeps though it is being emptied. */
export function toSwarmNode(node: NodeFacts, staying?: string): SwarmNode {
  const { info, settings } = node;
  const message = [node.error, staying].filter((text) => text !== undefined).join('; ');
  const seen = (node.updatedAt ?? new Date(0)).toISOString();
  return {
    ID: node.id,
    Version: { Index: settings?.version ?? 0 },
    CreatedAt: seen,
    UpdatedAt: settings?.changedAt?.toISOString() ?? seen,
    Spec: {
      Name: node.name,
      Role: nodeRole,
      Availability: settings?.availability ?? 'active',
      Labels: settings?.labels ?? {},
    },
    Description: {
      Hostname: node.name,
      Platform: { Architecture: info?.Architecture ?? '', OS: info?.OSType ?? 'linux' },
      Resources: { NanoCPUs: node.totalNanoCpus, MemoryBytes: node.totalMemoryBytes },
      Engine: { EngineVersion: node.serverVersion, Labels: node.engineLabels, Plugins: [] },
      TLSInfo: {},
    },
    Status: {
      State: states[node.status] ?? 'unknown',
      Addr: node.host,
      ...(message === '' ? {} : { Message: message }),
    },
  };
}
