// What is done by the clock and belongs to no request: once a minute what nobody uses any more is forgotten, and
// the log says how the cluster stands when that has changed.
import cron from 'node-cron';
import type { DiscoveryBackend } from '../../discovery/backend.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Logger } from '../common/logger.ts';

const everyMinute = '* * * * *';

export interface Maintenance {
  stop(): Promise<void>;
}

export function startMaintenance(cluster: Cluster, discovery: DiscoveryBackend, logger: Logger): Maintenance {
  let reported = '';
  const task = cron.schedule(everyMinute, () => {
    cluster.builds.forgetIdle();
    cluster.membership.forgetLost(discovery.silentSince === undefined ? 'answers' : 'silent');
    const standing = clusterStanding(cluster);
    if (standing !== reported) logger.info('the cluster stands', { nodes: standing });
    reported = standing;
  });
  return {
    stop: async () => {
      await task.destroy();
    },
  };
}

/** "2 healthy, 1 unhealthy" */
function clusterStanding(cluster: Cluster): string {
  const counts = new Map<string, number>();
  for (const { state } of cluster.members.engines) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none';
}
