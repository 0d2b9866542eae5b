// The flags that make a manager one of several: whether, where the others reach it, and how soon it is replaced.
import type { Command } from 'commander';
import { advertiseOption } from './shared-options.ts';
import { UsageError } from './usage-error.ts';
import { durationOfAtLeast } from './values.ts';

export interface ReplicationOptions {
  /** HOST:PORT where the other managers reach this one. */
  readonly advertise: string;
  readonly ttlMs: number;
}

export interface ReplicationFlags {
  readonly replication?: boolean;
  readonly replicationTtl: number;
  readonly advertise?: string;
}

export function addReplication(command: Command): void {
  command
    .option('--replication', 'one of several managers, of which one is the primary; needs a store and --advertise')
    .option(
      '--replication-ttl <duration>',
      'a primary that is lost is replaced within this time',
      durationOfAtLeast(2_000, '--replication-ttl should be at least two seconds'),
      20_000,
    )
    .addOption(advertiseOption('where the other managers reach this one'));
}

/** undefined for the only manager. Throws a UsageError when others could not reach this one. */
export function replicationOptions({
  replication,
  replicationTtl,
  advertise,
}: ReplicationFlags): ReplicationOptions | undefined {
  if (replication !== true) return undefined;
  if (advertise === undefined) {
    throw new UsageError('--replication needs --advertise, HOST:PORT where the other managers reach this one');
  }
  return { advertise, ttlMs: replicationTtl };
}
