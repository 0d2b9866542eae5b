// `shoal list`: the members, one address a line.
import { openDiscovery } from '../../discovery/index.ts';
import { listMembers } from '../../discovery/list-members.ts';
import { orAborted } from '../common/abort.ts';
import { createLogger } from '../common/logger.ts';
import type { ListOptions } from './list-command.ts';

/** Rejects when the store has not answered in time. */
export async function runList(options: ListOptions, print: (text: string) => void, stop: AbortSignal): Promise<void> {
  const backend = openDiscovery(options.discovery, {
    role: 'list',
    logger: createLogger(options.logLevel),
    discoveryOpts: options.discoveryOptions,
  });
  const members = await orAborted(listMembers(backend, options.timeoutMs), stop);
  print(members.map(({ address }) => `${address}\n`).join(''));
}
