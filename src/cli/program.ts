// The command line: flag names, short forms, defaults and environment variables of docker/classicswarm.
// Parsing ends in one typed, frozen options object per command; what the commands do is passed in.
import { Command, CommanderError, Option } from 'commander';
import type { LogLevel } from '../common/logger.ts';
import { filterNames } from '../scheduler/filters/index.ts';
import { isPlugIn } from '../scheduler/plug-ins/load.ts';
import { addCa, type CaOptions } from './ca-command.ts';
import { clusterOptions, type ClusterOptions } from './cluster-options.ts';
import {
  managerTls,
  serverTls,
  type ManagerTls,
  type ManagerTlsFlags,
  type TlsFlags,
  type TlsLeg,
} from './tls-options.ts';
import { UsageError } from './usage-error.ts';
import {
  advertisedAddress,
  advertisedFor,
  clusterNetworks,
  collected,
  doorAddress,
  durationOfAtLeast,
  engineAddress,
  keyValue,
  listenAddress,
  logLevel,
  noReserve,
  oneOf,
  reserve,
  tlsLegs,
  wholeNumberOfAtLeast,
  type ClusterNetworks,
  type ListenAddress,
  type Reserve,
  type TcpAddress,
} from './values.ts';

export interface ManageOptions {
  readonly logLevel: LogLevel;
  /** Undefined: embedded, agents join the manager itself. */
  readonly discovery: string | undefined;
  readonly discoveryOptions: Readonly<Record<string, string>>;
  readonly listen: readonly ListenAddress[];
  readonly strategy: string;
  readonly filters: readonly string[];
  readonly cluster: ClusterOptions;
  readonly tls: ManagerTls;
  readonly rules: string | undefined;
  /** A path, or "-" for standard output. */
  readonly auditLog: string | undefined;
  /** Of one address. */
  readonly maxConnectionsPerClient: number;
  /** Of one address; undefined: no limit. */
  readonly maxRequestsPerSecond: number | undefined;
  readonly heartbeatMs: number;
  readonly refreshMinMs: number;
  readonly refreshMaxMs: number;
  readonly failureRetry: number;
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

export interface ReplicationOptions {
  /** HOST:PORT where the other managers reach this one. */
  readonly advertise: string;
  readonly ttlMs: number;
}

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

export interface ListOptions {
  readonly logLevel: LogLevel;
  readonly discovery: string;
  readonly discoveryOptions: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Commands {
  readonly manage: (options: ManageOptions) => Promise<void>;
  readonly join: (options: JoinOptions) => Promise<void>;
  readonly list: (options: ListOptions) => Promise<void>;
  readonly health: () => Promise<void>;
  readonly ca: (options: CaOptions) => Promise<void>;
}

/** What the command line needs of the process it runs in. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/**
 * Parses `argv` (without the interpreter and the script) and runs the command that it names.
 * Resolves with the exit code: 0, 1 when the command failed to start, 2 for a mistake on the command line.
 */
export async function runCommandLine(
  argv: readonly string[],
  version: string,
  commands: Commands,
  surroundings: Surroundings,
): Promise<number> {
  try {
    const program = buildProgram(version, commands, surroundings);
    await program.parseAsync(withTwoDashes(argv, program), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError) {
      surroundings.err(`shoal: ${error.message}\n`);
      return 2;
    }
    throw error;
  }
}

/** Whatever runs docker/classicswarm may write its long flags with one dash, as Go programs allow. */
function withTwoDashes(argv: readonly string[], program: Command): string[] {
  const long = new Set(
    [program, ...program.commands].flatMap(({ options }) =>
      options.flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? []),
    ),
  );
  return argv.map((argument) => {
    const name = /^-[a-z][a-z-]+/.exec(argument)?.[0];
    return name !== undefined && long.has(`-${name}`) ? `-${argument}` : argument;
  });
}

function buildProgram(version: string, commands: Commands, surroundings: Surroundings): Command {
  const program = new Command('shoal')
    .description('Many Docker engines as one virtual Docker host')
    .version(`shoal version ${version}`, '-v, --version', 'print the version')
    .addOption(new Option('--debug', 'log each request and event').env('DEBUG'))
    .option('-l, --log-level <level>', 'error, warn, info or debug', logLevel, 'info')
    .addOption(new Option('--experimental').hideHelp())
    .configureOutput({
      writeOut: surroundings.out,
      writeErr: surroundings.err,
      outputError: (text, write) => {
        write(
          `shoal: ${text
            .replace(/^error: /, '')
            .replace(/^unknown option .*/, '$&; `shoal help COMMAND` lists those that exist')
            .trim()
            .replaceAll('\n', ' ')}\n`,
        );
      },
    })
    .exitOverride();
  program.helpCommand('help [command]', 'print help');
  addManage(program, commands.manage, surroundings);
  addJoin(program, commands.join, surroundings);
  addList(program, commands.list, surroundings);
  addHealth(program, commands.health);
  addCa(program, commands.ca);
  return program;
}

function addManage(program: Command, run: Commands['manage'], { env }: Surroundings): void {
  addDiscovery(
    program
      .command('manage')
      .alias('m')
      .description('run a manager; without discovery, agents join the manager itself'),
  )
    .addOption(
      new Option('-H, --host <address>', 'serve the API on tcp://HOST:PORT or unix://PATH; may be repeated')
        .env('SWARM_HOST')
        .argParser(collected(listenAddress))
        .default([{ kind: 'tcp', host: '127.0.0.1', port: 2375 }], 'tcp://127.0.0.1:2375'),
    )
    .option(
      '--strategy <name>',
      'spread, binpack, random, spread:<label> or a module, such as ./my.js',
      strategyName,
      'spread',
    )
    .option(
      '-f, --filter <name>',
      `use only these filters; may be repeated (${filterNames.join(', ')}, or a module, such as ./my.js)`,
      collected(filterName),
      filterNames,
    )
    .option(
      '--cluster-opt <key=value>',
      'swarm.overcommit=0.05, swarm.createretry=0, swarm.cpumode=engine, swarm.load=active, swarm.spreadreplicas=on',
      collected(keyValue),
      [],
    )
    .addOption(new Option('-c, --cluster-driver <name>').argParser(oneOf(['swarm'])).hideHelp())
    .option('--heartbeat <duration>', 'how often each engine is probed', durationOfAtLeast(100), 5_000)
    .option(
      '--engine-refresh-min-interval <duration>',
      'earliest complete refresh of an engine',
      durationOfAtLeast(100, 'min refresh interval should be a positive number'),
      30_000,
    )
    .option(
      '--engine-refresh-max-interval <duration>',
      'latest complete refresh of an engine',
      durationOfAtLeast(100, refreshOrderRule),
      60_000,
    )
    .option(
      '--engine-failure-retry <count>',
      'failed probes until an engine is unhealthy',
      wholeNumberOfAtLeast(1, 'invalid failure retry count'),
      3,
    )
    .option('--replication', 'one of several managers, of which one is the primary; needs a store and --advertise')
    .option(
      '--replication-ttl <duration>',
      'a primary that is lost is replaced within this time',
      durationOfAtLeast(2_000, '--replication-ttl should be at least two seconds'),
      20_000,
    )
    .addOption(
      new Option('--addr, --advertise <host:port>', 'where the other managers reach this one')
        .env('SWARM_ADVERTISE')
        .argParser(advertisedAddress),
    )
    .addOption(new Option('--engine-refresh-retry <count>').argParser(oneOf(['3'])).hideHelp())
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
    .option('--max-requests-per-second <count>', 'requests that one address may send', wholeNumberOfAtLeast(1))
    .option('--tls', 'serve and reach engines over TLS')
    .option('--tlsverify', 'like --tls, and the other side must show a certificate of the CA')
    .option('--tlscacert <path>', 'certificates of the CA')
    .option('--tlscert <path>', 'own certificate')
    .option('--tlskey <path>', 'own private key')
    .option('--engine-tlscacert <path>', 'certificates of the CA of engines (default: --tlscacert)')
    .option('--engine-tlscert <path>', 'own certificate towards engines (default: --tlscert)')
    .option('--engine-tlskey <path>', 'its private key (default: --tlskey)')
    .option('--tls-for <side>', 'both, clients or engines: whose connections use TLS (default: both)', tlsLegs)
    .action(async (discovery: string | undefined, flags: ManageFlags, command: Command) => {
      await run(Object.freeze(manageOptions({ discovery, flags, level: globalLogLevel(command), env })));
    });
}

const refreshOrderRule = 'max refresh interval cannot be less than min refresh interval';

interface DiscoveryFlags {
  readonly discoveryOpt: readonly (readonly [string, string])[];
}

interface ManageFlags extends DiscoveryFlags, ManagerTlsFlags {
  readonly host: readonly ListenAddress[];
  readonly strategy: string;
  readonly filter: readonly string[];
  readonly clusterOpt: readonly (readonly [string, string])[];
  readonly heartbeat: number;
  readonly engineRefreshMinInterval: number;
  readonly engineRefreshMaxInterval: number;
  readonly engineFailureRetry: number;
  readonly cors?: boolean;
  readonly nodePrefix?: boolean;
  readonly clusterNetwork: ClusterNetworks;
  readonly registryFile?: string;
  readonly stateFile?: string;
  readonly rescheduleGrace: number;
  readonly seed?: number;
  readonly replication?: boolean;
  readonly replicationTtl: number;
  readonly advertise?: string;
  readonly rules?: string;
  readonly auditLog?: string;
  readonly maxConnectionsPerClient: number;
  readonly maxRequestsPerSecond?: number;
}

interface ManageLine {
  readonly discovery: string | undefined;
  readonly flags: ManageFlags;
  readonly level: LogLevel;
  readonly env: Surroundings['env'];
}

function manageOptions({ discovery, flags, level, env }: ManageLine): ManageOptions {
  if (flags.engineRefreshMinInterval > flags.engineRefreshMaxInterval) {
    throw new UsageError(
      `${refreshOrderRule}: --engine-refresh-min-interval must not be greater than --engine-refresh-max-interval`,
    );
  }
  return {
    logLevel: level,
    discovery: discovery ?? discoveryOf(env),
    discoveryOptions: Object.fromEntries(flags.discoveryOpt),
    listen: flags.host,
    strategy: flags.strategy,
    filters: flags.filter,
    cluster: clusterOptions(flags.clusterOpt),
    tls: managerTls(flags, env),
    rules: flags.rules,
    auditLog: flags.auditLog,
    maxConnectionsPerClient: flags.maxConnectionsPerClient,
    maxRequestsPerSecond: flags.maxRequestsPerSecond,
    heartbeatMs: flags.heartbeat,
    refreshMinMs: flags.engineRefreshMinInterval,
    refreshMaxMs: flags.engineRefreshMaxInterval,
    failureRetry: flags.engineFailureRetry,
    corsEnabled: flags.cors ?? false,
    nodePrefix: flags.nodePrefix ?? false,
    networks: flags.clusterNetwork,
    registryFile: flags.registryFile,
    stateFile: flags.stateFile,
    rescheduleGraceMs: flags.rescheduleGrace,
    replication: replicationOf(flags),
    seed: flags.seed,
  };
}

function replicationOf({ replication, replicationTtl, advertise }: ManageFlags): ReplicationOptions | undefined {
  if (replication !== true) return undefined;
  if (advertise === undefined) {
    throw new UsageError('--replication needs --advertise, HOST:PORT where the other managers reach this one');
  }
  return { advertise, ttlMs: replicationTtl };
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
  readonly heartbeat: number;
  readonly ttl: number;
  readonly delay: number;
}

const ttlRule = '--ttl must be strictly superior to the heartbeat value';

function addJoin(program: Command, run: Commands['join'], { env }: Surroundings): void {
  addDiscovery(program.command('join').alias('j').description('announce an engine: the agent'))
    .addOption(
      new Option('--addr, --advertise <host:port>', 'where managers reach the engine')
        .env('SWARM_ADVERTISE')
        .argParser(advertisedAddress),
    )
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
    .option('--tls', 'serve the engine over TLS')
    .option('--tlsverify', 'like --tls, and managers must show a certificate of the CA')
    .option('--tlscacert <path>', 'certificates of the CA')
    .option('--tlscert <path>', 'own certificate')
    .option('--tlskey <path>', 'own private key')
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
    )
    .action(async (discovery: string | undefined, flags: JoinFlags, command: Command) => {
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
        heartbeatMs: flags.heartbeat,
        ttlMs: flags.ttl,
        delayMs: flags.delay,
      };
      await run(Object.freeze(options));
    });
}

const stateDirectory = '/var/lib/shoal';
const localEngine: ListenAddress = { kind: 'unix', path: '/var/run/docker.sock' };

function advertiseOf({ advertise, listen }: JoinFlags): string {
  const address = advertise ?? (listen === undefined ? undefined : advertisedFor(listen));
  if (address !== undefined) return address;
  const why = listen === undefined ? '' : '--listen names every address of the machine: ';
  throw new UsageError(`${why}--advertise is missing, HOST:PORT where managers reach the engine`);
}

function doorOf(flags: JoinFlags, env: Surroundings['env']): DoorOptions | undefined {
  if (flags.listen !== undefined) return { listen: flags.listen, tls: serverTls(flags, env) };
  if (serverTls(flags, {}) !== undefined)
    throw new UsageError('--tls and --tlsverify need --listen: TLS is that of the agent itself');
  return undefined;
}

interface ListFlags extends DiscoveryFlags {
  readonly timeout: number;
}

function addList(program: Command, run: Commands['list'], { env }: Surroundings): void {
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

function addHealth(program: Command, run: Commands['health']): void {
  program
    .command('health')
    .description('in a container: whether the manager or agent that it runs answers')
    .action(async () => {
      await run();
    });
}

/** The one positional argument, which SWARM_DISCOVERY may stand in for, and its options. */
function addDiscovery(command: Command): Command {
  return command
    .argument(
      '[discovery]',
      'consul://, etcd:// or zk://HOST:PORT/PREFIX, file://PATH, nodes://HOST:PORT,... or HOST:PORT of a manager',
    )
    .option('--discovery-opt <key=value>', 'an option of the store; may be repeated', collected(keyValue), []);
}

function discoveryOf(env: Surroundings['env']): string | undefined {
  return env['SWARM_DISCOVERY'] === '' ? undefined : env['SWARM_DISCOVERY'];
}

function requiredDiscovery(argument: string | undefined, env: Surroundings['env']): string {
  const discovery = argument ?? discoveryOf(env);
  if (discovery === undefined) {
    throw new UsageError(
      'the argument <discovery> is missing: consul://, etcd:// or zk://HOST:PORT/PREFIX, file://PATH, nodes://HOST:PORT,... or HOST:PORT of a manager',
    );
  }
  return discovery;
}

function globalLogLevel(command: Command): LogLevel {
  const { debug = false, logLevel: level } = command.optsWithGlobals<{ debug?: boolean; logLevel: LogLevel }>();
  return debug ? 'debug' : level;
}

/** `spread:<label>` spreads over the values of an engine label. */
function strategyName(text: string): string {
  if (/^spread:.+/.test(text) || isPlugIn(text)) return text;
  return oneOf(['spread', 'binpack', 'random', 'spread:<label>', './MODULE.js'], { binpacking: 'binpack' })(text);
}

function filterName(text: string): string {
  return isPlugIn(text) ? text : oneOf([...filterNames, './MODULE.js'])(text);
}
