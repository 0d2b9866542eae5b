// `shoal manage`: runs a manager until it is told to stop.
import { aborted } from '../common/abort.ts';
import { createLogger } from '../common/logger.ts';
import { Manager } from '../manager/manager.ts';
import type { ManageOptions } from './program.ts';

/** Resolves after an orderly stop; rejects when the manager cannot start. */
export async function runManage(options: ManageOptions, version: string, stop: AbortSignal): Promise<void> {
  const { cluster, corsEnabled, nodePrefix, ...rest } = options;
  const logger = createLogger(options.logLevel);
  const manager = new Manager({
    ...rest,
    ...cluster,
    version,
    logger,
    allowsEveryOrigin: corsEnabled,
    prefixesNamesWithNode: nodePrefix,
  });
  await manager.start();
  await aborted(stop);
  logger.info('the manager stops');
  await manager.stop();
}
