// `shoal join` on the command line: which engine is announced, where, and what managers learn of its node.
import type { Command } from 'commander';
import type { LogLevel } from '../common/logger.ts';
import {
  addDiscovery,
  advertiseOption,
  globalLogLevel,
  requiredDiscovery,
  type DiscoveryFlags,
} from './shared-options.ts';
import type { Environment } from './surroundings.ts';
import { addTls, serverTls, type TlsFlags, type TlsLeg } from './tls-options.ts';
import { UsageError } from './usage-error.ts';
import {
  advertisedFor,
  collected,
  doorAddress,
  durationOfAtLeast,
  engineAddress,
  keyValue,
  noReserve,
  reserve,
  type ListenAddress,
  type Reserve,
  type TcpAddress,
} from './values.ts';

export interface JoinOptions {
  readonly logLevel: LogLevel;
  readonly discovery: string;
  readonly discoveryOptions: Readonly<Record<string, string>>;
  readonly advertise: string;
  /** Where the agent serves the engine itself; undefined: managers reach the engine without it. */
  readonly door: DoorOptions | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly labelFile: string | undefined;
  readonly labelScript: string | undefined;
  readonly reserve: Reserve;
  /** Where the node's id is kept; undefined: it has none but the engine's. */
  readonly stateDirectory: string | undefined;
  /** What containers publish is announced in Consul too. */
  readonly services: boolean;
  /** Where the agent reaches the engine; undefined: where managers do. */
  readonly engine: ListenAddress | undefined;
  readonly heartbeatMs: number;
  readonly ttlMs: number;
  readonly delayMs: number;
}

export interface DoorOptions {
  readonly listen: TcpAddress;
  readonly tls: TlsLeg | undefined;
}

interface JoinFlags extends DiscoveryFlags, TlsFlags {
  readonly advertise?: string;
  readonly listen?: TcpAddress;
  readonly engine?: ListenAddress;
  readonly label: readonly (readonly [string, string])[];
  readonly labelFile?: string;
  readonly labelScript?: string;
  readonly reserve: Reserve;
  readonly stateDir?: string;
  readonly services?: boolean;
  readonly heartbeat: number;
  readonly ttl: number;
  readonly delay: number;
}

export function addJoin(program: Command, run: (options: JoinOptions) => Promise<void>, env: Environment): void {
  const command = program.command('join').alias('j').description('announce an engine: the agent');
  addDiscovery(command);
  addNode(command);
  addTls(command, {
    tls: 'serve the engine over TLS',
    verify: 'like --tls, and managers must show a certificate of the CA',
  });
  addTimes(command);
  command.action(async (discovery: string | undefined, flags: JoinFlags) => {
    if (flags.ttl <= flags.heartbeat) throw new UsageError(ttlRule);
    const engine = flags.engine ?? (flags.listen === undefined ? undefined : localEngine);
    const options: JoinOptions = {
      logLevel: globalLogLevel(command),
      discovery: requiredDiscovery(discovery, env),
      discoveryOptions: Object.fromEntries(flags.discoveryOpt),
      advertise: advertiseOf(flags),
      door: doorOf(flags, env),
      engine,
      labels: Object.fromEntries(flags.label),
      labelFile: flags.labelFile,
      labelScript: flags.labelScript,
      reserve: flags.reserve,
      stateDirectory: flags.stateDir ?? (engine?.kind === 'unix' ? stateDirectory : undefined),
      services: flags.services ?? false,
      heartbeatMs: flags.heartbeat,
      ttlMs: flags.ttl,
      delayMs: flags.delay,
    };
    await run(Object.freeze(options));
  });
}

/** Where the engine is, and what the agent tells of its node. */
function addNode(command: Command): void {
  command
    .addOption(advertiseOption('where managers reach the engine'))
    .option('--listen <host:port>', 'serve the engine to managers on this address', doorAddress)
    .option(
      '--engine <address>',
      'unix://PATH or tcp://HOST:PORT of the engine (default with --listen: unix:///var/run/docker.sock)',
      engineAddress,
    )
    .option('--label <key=value>', 'a label of the node, for constraints; may be repeated', collected(keyValue), [])
    .option('--label-file <path>', 'labels from a file, KEY=VALUE a line; read again when it changes')
    .option('--label-script <path>', 'labels from what a program prints, KEY=VALUE a line; run every two seconds')
    .option(
      '--reserve <resources>',
      'what containers leave to the node: cpus=0.5,memory=512m, or one of them',
      reserve,
      noReserve,
    )
    .option(
      '--state-dir <path>',
      'keep the id of the node here (default with an engine on a unix socket: /var/lib/shoal)',
    )
    .option('--services', 'announce what containers publish as services of Consul, where the discovery is that');
}

const ttlRule = '--ttl must be strictly superior to the heartbeat value';

function addTimes(command: Command): void {
  command
    .option(
      '--heartbeat <duration>',
      'time between two announcements',
      durationOfAtLeast(1_000, '--heartbeat should be at least one second'),
      5_000,
    )
    .option(
      '--ttl <duration>',
      'how long an announcement holds; greater than the heartbeat',
      durationOfAtLeast(1_000, ttlRule),
      15_000,
    )
    .option(
      '--delay <duration>',
      'start at a random moment within this time',
      durationOfAtLeast(0, '--delay should not be a negative number'),
      0,
    );
}

const stateDirectory = '/var/lib/shoal';
const localEngine: ListenAddress = { kind: 'unix', path: '/var/run/docker.sock' };

function advertiseOf({ advertise, listen }: JoinFlags): string {
  const address = advertise ?? (listen === undefined ? undefined : advertisedFor(listen));
  if (address !== undefined) return address;
  const why = listen === undefined ? '' : '--listen names every address of the machine: ';
  throw new UsageError(`${why}--advertise is missing, HOST:PORT where managers reach the engine`);
}

function doorOf(flags: JoinFlags, env: Environment): DoorOptions | undefined {
  if (flags.listen !== undefined) return { listen: flags.listen, tls: serverTls(flags, env) };
  if (serverTls(flags, {}) !== undefined)
    throw new UsageError('--tls and --tlsverify need --listen: TLS is that of the agent itself');
  return undefined;
}
