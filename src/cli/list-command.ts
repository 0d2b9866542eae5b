// `shoal list` on the command line: whose members are printed, and for how long the store is asked.
import type { Command } from 'commander';
import type { LogLevel } from '../common/logger.ts';
import { addDiscovery, globalLogLevel, requiredDiscovery, type DiscoveryFlags } from './shared-options.ts';
import type { Environment } from './surroundings.ts';
import { durationOfAtLeast } from './values.ts';

export interface ListOptions {
  readonly logLevel: LogLevel;
  readonly discovery: string;
  readonly discoveryOptions: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

interface ListFlags extends DiscoveryFlags {
  readonly timeout: number;
}

export function addList(program: Command, run: (options: ListOptions) => Promise<void>, env: Environment): void {
  addDiscovery(program.command('list').alias('l').description('print the members, one address a line'))
    .option(
      '--timeout <duration>',
      'give up after this time',
      durationOfAtLeast(1, '--timeout should be a positive number'),
      10_000,
    )
    .action(async (discovery: string | undefined, flags: ListFlags, command: Command) => {
      const options: ListOptions = {
        logLevel: globalLogLevel(command),
        discovery: requiredDiscovery(discovery, env),
        discoveryOptions: Object.fromEntries(flags.discoveryOpt),
        timeoutMs: flags.timeout,
      };
      await run(Object.freeze(options));
    });
}
