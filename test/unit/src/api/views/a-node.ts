// Nodes for tests of what the API tells about them.
import type { NodeFacts } from '../../../../../src/api/views/node-facts.ts';
import type { ApiSettings } from '../../../../../src/api/settings.ts';

export function aNode(parts: Partial<NodeFacts> = {}): NodeFacts {
  return {
    id: 'ID1',
    name: 'node-1',
    address: '10.0.0.1:2375',
    host: '10.0.0.1',
    info: { NCPU: 4, MemTotal: 8 * 1024 ** 3, OSType: 'linux', Architecture: 'x86_64', KernelVersion: '6.1.0' },
    images: [],
    status: 'Healthy',
    isHealthy: true,
    isVouchedFor: true,
    containers: { running: 2, paused: 1, stopped: 3 },
    reservedNanoCpus: 1_500_000_000,
    totalNanoCpus: 4_000_000_000,
    reservedMemoryBytes: 512 * 1024 ** 2,
    totalMemoryBytes: 8 * 1024 ** 3,
    engineLabels: { storage: 'ssd' },
    settings: undefined,
    labels: { storage: 'ssd', kernelversion: '6.1.0' },
    error: undefined,
    updatedAt: new Date('2026-01-01T00:00:00Z'),
    serverVersion: '20.10.24',
    swarm: undefined,
    ...parts,
  };
}

export const someSettings: ApiSettings = {
  version: '1.2.3',
  gitCommit: 'abcdef0',
  buildTime: '2026-01-01T00:00:00Z',
  hostName: 'shoal',
  strategy: 'spread',
  filters: ['health', 'port'],
  prefixesNamesWithNode: false,
  role: () => ({ name: 'primary' }),
  warnings: () => [],
};
