// `shoal manage` on the command line: one typed options object from all its groups of flags.
import { Option, type Command } from 'commander';
import type { LogLevel } from '../common/logger.ts';
import {
  addEngineTimings,
  engineTimingOptions,
  type EngineTimingFlags,
  type EngineTimingOptions,
} from './engine-timing-options.ts';
import { addPlacement, placementOptions, type PlacementFlags, type PlacementOptions } from './placement-options.ts';
import {
  addReplication,
  replicationOptions,
  type ReplicationFlags,
  type ReplicationOptions,
} from './replication-options.ts';
import { addDiscovery, discoveryOf, globalLogLevel, type DiscoveryFlags } from './shared-options.ts';
import type { Environment } from './surroundings.ts';
import { addManagerTls, managerTls, type ManagerTls, type ManagerTlsFlags } from './tls-options.ts';
import {
  clusterNetworks,
  collected,
  durationOfAtLeast,
  listenAddress,
  wholeNumberOfAtLeast,
  type ClusterNetworks,
  type ListenAddress,
} from './values.ts';

export interface ManageOptions extends PlacementOptions, EngineTimingOptions {
  readonly logLevel: LogLevel;
  /** Undefined: embedded, agents join the manager itself. */
  readonly discovery: string | undefined;
  readonly discoveryOptions: Readonly<Record<string, string>>;
  readonly listen: readonly ListenAddress[];
  readonly tls: ManagerTls;
  readonly rules: string | undefined;
  /** A path, or "-" for standard output. */
  readonly auditLog: string | undefined;
  /** Of one address. */
  readonly maxConnectionsPerClient: number;
  /** Of one address; undefined: no limit. */
  readonly maxRequestsPerSecond: number | undefined;
  readonly corsEnabled: boolean;
  readonly nodePrefix: boolean;
  readonly networks: ClusterNetworks;
  readonly registryFile: string | undefined;
  readonly stateFile: string | undefined;
  readonly rescheduleGraceMs: number;
  /** Undefined: it is the only manager. */
  readonly replication: ReplicationOptions | undefined;
  /** Feeds every choice among equals; undefined: by name. */
  readonly seed: number | undefined;
}

interface ManageFlags extends DiscoveryFlags, PlacementFlags, EngineTimingFlags, ReplicationFlags, ManagerTlsFlags {
  readonly host: readonly ListenAddress[];
  readonly cors?: boolean;
  readonly nodePrefix?: boolean;
  readonly clusterNetwork: ClusterNetworks;
  readonly registryFile?: string;
  readonly stateFile?: string;
  readonly rescheduleGrace: number;
  readonly seed?: number;
  readonly rules?: string;
  readonly auditLog?: string;
  readonly maxConnectionsPerClient: number;
  readonly maxRequestsPerSecond?: number;
}

/** Help lists the flags in the order in which they are added. */
export function addManage(program: Command, run: (options: ManageOptions) => Promise<void>, env: Environment): void {
  const command = program
    .command('manage')
    .alias('m')
    .description('run a manager; without discovery, agents join the manager itself');
  addDiscovery(command).addOption(
    new Option('-H, --host <address>', 'serve the API on tcp://HOST:PORT or unix://PATH; may be repeated')
      .env('SWARM_HOST')
      .argParser(collected(listenAddress))
      .default([{ kind: 'tcp', host: '127.0.0.1', port: 2375 }], 'tcp://127.0.0.1:2375'),
  );
  addPlacement(command);
  addEngineTimings(command);
  addReplication(command);
  addOwn(command);
  addManagerTls(command);
  command.action(async (discovery: string | undefined, flags: ManageFlags) => {
    const options: ManageOptions = {
      logLevel: globalLogLevel(command),
      discovery: discoveryOf(discovery, env),
      ...manageOptions(flags, env),
    };
    await run(Object.freeze(options));
  });
}

/** Those that belong to no group. */
function addOwn(command: Command): void {
  command
    .option('--api-enable-cors, --cors', 'let web pages of every origin call the API')
    .option('--node-prefix', 'show containers as NODE/NAME only')
    .option(
      '--cluster-network <reach>',
      'auto, overlay or bridge: whether networks span nodes; with overlay the manager makes the engines one swarm',
      clusterNetworks,
      'auto',
    )
    .option(
      '--state-file <path>',
      'keep what `docker node update` sets in this file, not in the discovery store; names as --registry-file',
    )
    .option(
      '--registry-file <path>',
      'keep the members of embedded discovery in this file, and beside it what each node has, by name',
    )
    .option(
      '--reschedule-grace <duration>',
      'how long a node must be lost before its containers are made anew elsewhere',
      durationOfAtLeast(0),
      60_000,
    )
    .option('--seed <number>', 'choose among equal nodes by this seed instead of by name', wholeNumberOfAtLeast(0))
    .option('--rules <path>', 'who may do what, in YAML or JSON; read again when it changes')
    .option('--audit-log <path>', 'a line of JSON for each call that changes something; - is standard output')
    .option(
      '--max-connections-per-client <count>',
      'connections that one address may hold',
      wholeNumberOfAtLeast(1),
      2_000,
    )
    .option('--max-requests-per-second <count>', 'requests that one address may send', wholeNumberOfAtLeast(1));
}

function manageOptions(flags: ManageFlags, env: Environment): Omit<ManageOptions, 'logLevel' | 'discovery'> {
  return {
    ...engineTimingOptions(flags),
    ...placementOptions(flags),
    discoveryOptions: Object.fromEntries(flags.discoveryOpt),
    listen: flags.host,
    tls: managerTls(flags, env),
    rules: flags.rules,
    auditLog: flags.auditLog,
    maxConnectionsPerClient: flags.maxConnectionsPerClient,
    maxRequestsPerSecond: flags.maxRequestsPerSecond,
    corsEnabled: flags.cors ?? false,
    nodePrefix: flags.nodePrefix ?? false,
    networks: flags.clusterNetwork,
    registryFile: flags.registryFile,
    stateFile: flags.stateFile,
    rescheduleGraceMs: flags.rescheduleGrace,
    replication: replicationOptions(flags),
    seed: flags.seed,
  };
}
