// The arguments and options that several commands have: where the engines are announced, and how much is logged.
import { Option, type Command } from 'commander';
import type { LogLevel } from '../common/logger.ts';
import type { Environment } from './surroundings.ts';
import { UsageError } from './usage-error.ts';
import { advertisedAddress, collected, keyValue } from './values.ts';

export interface DiscoveryFlags {
  readonly discoveryOpt: readonly (readonly [string, string])[];
}

const discoveryForms =
  'consul://, etcd:// or zk://HOST:PORT/PREFIX, file://PATH, nodes://HOST:PORT,... or HOST:PORT of a manager';

/** The one positional argument, which SWARM_DISCOVERY may stand in for, and its options. */
export function addDiscovery(command: Command): Command {
  return command
    .argument('[discovery]', discoveryForms)
    .option('--discovery-opt <key=value>', 'an option of the store; may be repeated', collected(keyValue), []);
}

/** undefined where neither the argument nor SWARM_DISCOVERY names one. */
export function discoveryOf(argument: string | undefined, env: Environment): string | undefined {
  return argument ?? (env['SWARM_DISCOVERY'] === '' ? undefined : env['SWARM_DISCOVERY']);
}

/** Throws a UsageError where `discoveryOf` is undefined. */
export function requiredDiscovery(argument: string | undefined, env: Environment): string {
  const discovery = discoveryOf(argument, env);
  if (discovery === undefined) {
    throw new UsageError(`the argument <discovery> is missing: ${discoveryForms}`);
  }
  return discovery;
}

export function advertiseOption(description: string): Option {
  return new Option('--addr, --advertise <host:port>', description).env('SWARM_ADVERTISE').argParser(advertisedAddress);
}

/** The level that the options in front of the command say. */
export function globalLogLevel(command: Command): LogLevel {
  const { debug = false, logLevel: level } = command.optsWithGlobals<{ debug?: boolean; logLevel: LogLevel }>();
  return debug ? 'debug' : level;
}
