// Several real servers of one store, each on a machine of its own in the rig's network, so that one can be killed, paused
// and cut off while the others go on.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { until } from '../until.ts';
import type { Identity } from './certificates.ts';
import { systemEnvironment } from './command.ts';
import { httpCall } from './http-call.ts';
import { Machine } from './machine.ts';
import { searchPath, type Need } from './packages.ts';
import type { RigKind } from './rig-kind.ts';
import type { RigProcess } from './rig-process.ts';

export type StoreName = 'consul' | 'etcd' | 'zookeeper';

/** What the packages of a store are called in a rig's needs. */
export const storeNeeds: readonly Need[] = ['consul', 'etcd', 'zookeeper'];

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly path?: string | undefined;
}

interface StoreProgram {
  /** Of the discovery URI. */
  readonly scheme: string;
  readonly port: number;
  readonly securePort: number;
  /** To be run on `server`; its data are to be kept in the folder. */
  command(server: StoreServer, all: readonly StoreServer[], data: string): Command;
  isLeader(server: StoreServer): Promise<boolean>;
}

export interface StoreOptions {
  readonly count: number;
  /** The number of the first machine; the others follow. */
  readonly firstMachine: number;
  /** Of all servers. Clients must show a certificate of the same authority to ZooKeeper. Not for Consul. */
  readonly tls?: Identity;
}

export class StoreServers {
  readonly store: StoreName;
  readonly servers: readonly StoreServer[];

  static async start(kind: RigKind, store: StoreName, options: StoreOptions): Promise<StoreServers> {
    const started = new StoreServers(kind, store, options);
    await Promise.all(started.servers.map((server) => server.boot()));
    await started.startAll();
    return started;
  }

  private constructor(kind: RigKind, store: StoreName, { count, firstMachine, tls }: StoreOptions) {
    this.store = store;
    const servers: StoreServer[] = [];
    for (let index = 0; index < count; index += 1) {
      const machine = new Machine({ kind, number: firstMachine + index });
      servers.push(new StoreServer({ program: programs[store], machine, all: servers, tls }));
    }
    this.servers = servers;
  }

  /** The discovery argument; `first` is the server that is asked first. */
  uri(prefix: string, first = this.servers[0]): string {
    const ordered = [...this.servers].sort((a, b) => Number(b === first) - Number(a === first));
    return `${programs[this.store].scheme}://${ordered.map(({ address }) => address).join(',')}/${prefix}`;
  }

  /** Starts, thaws and reconnects whatever is not up, and waits until there is a leader. */
  async startAll(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.heal()));
    await this.leader();
  }

  /** Resolves with the server that leads, as soon as one does. */
  async leader(): Promise<StoreServer> {
    return await until(
      `${this.store} has a leader`,
      async () => {
        const leads = await Promise.all(this.servers.map((server) => server.isLeader()));
        return this.servers[leads.indexOf(true)];
      },
      60_000,
    );
  }

  /** Starts all again with everything forgotten. */
  async wipe(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    for (const server of this.servers) server.forget();
    await this.startAll();
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.powerOff()));
  }
}

interface StoreServerOptions {
  readonly program: StoreProgram;
  readonly machine: Machine;
  readonly all: readonly StoreServer[];
  readonly tls: Identity | undefined;
}

export class StoreServer {
  readonly tls: Identity | undefined;
  readonly #program: StoreProgram;
  readonly machine: Machine;
  readonly #all: readonly StoreServer[];
  #process: RigProcess | undefined;
  #isCutOff = false;

  constructor({ program, machine, all, tls }: StoreServerOptions) {
    this.tls = tls;
    this.#program = program;
    this.machine = machine;
    this.#all = all;
  }

  get host(): string {
    return this.machine.address;
  }

  /** HOST:PORT */
  get address(): string {
    return `${this.host}:${this.tls === undefined ? this.#program.port : this.#program.securePort}`;
  }

  /** Counts from 1 within its store. */
  get number(): number {
    return this.#all.indexOf(this) + 1;
  }

  get name(): string {
    return `store-${this.number}`;
  }

  async boot(): Promise<void> {
    await this.machine.boot();
  }

  /** Starts it when it is dead, thaws it, plugs it in again. */
  async heal(): Promise<void> {
    if (this.#isCutOff) await this.machine.reconnect();
    this.#isCutOff = false;
    if (this.#process?.isRunning) this.#process.signal('SIGCONT');
    else await this.#start();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Its connections stay; nothing is answered. */
  freeze(): void {
    this.#process?.signal('SIGSTOP');
  }

  async cutOff(): Promise<void> {
    this.#isCutOff = true;
    await this.machine.cutOff();
  }

  /** Loses all its data. To be called while it is dead. */
  forget(): void {
    rmSync(this.#dataDirectory, { recursive: true, force: true });
  }

  async powerOff(): Promise<void> {
    await this.#process?.kill();
    await this.machine.powerOff();
  }

  async isLeader(): Promise<boolean> {
    try {
      return await this.#program.isLeader(this);
    } catch {
      return false;
    }
  }

  get #dataDirectory(): string {
    return `${this.machine.directory}/data`;
  }

  async #start(): Promise<void> {
    mkdirSync(this.#dataDirectory, { recursive: true });
    const { command, args, path } = this.#program.command(this, this.#all, this.#dataDirectory);
    this.#process = await this.machine.start({
      name: 'store',
      command,
      args,
      env: { PATH: path ?? systemEnvironment()['PATH'], HOME: '/root' },
    });
  }
}

const consul: StoreProgram = {
  scheme: 'consul',
  port: 8500,
  securePort: 8501,
  command: (server, all, data) => ({
    command: 'consul',
    path: searchPath('consul'),
    args: [
      ...['agent', '-server', `-bootstrap-expect=${all.length}`, `-node=${server.name}`, '-disable-host-node-id'],
      ...['-data-dir', data, '-bind', server.host, '-client', server.host, '-dns-port=-1'],
      ...['-hcl', 'performance { raft_multiplier = 1 } disable_update_check = true retry_interval = "1s"'],
      ...['-hcl', 'skip_leave_on_interrupt = true leave_on_terminate = false'],
      ...all.filter((other) => other !== server).flatMap(({ host }) => ['-retry-join', host]),
    ],
  }),
  isLeader: async ({ host, address }) => {
    const { json } = await httpCall({ method: 'GET', url: `http://${address}/v1/status/leader`, timeoutMs: 2_000 });
    return json === `${host}:8300`;
  },
};

const etcd: StoreProgram = {
  scheme: 'etcd',
  port: 2379,
  securePort: 2379,
  command: (server, all, data) => ({
    command: 'etcd',
    args: [
      ...['--name', server.name, '--data-dir', data, '--log-level', 'warn', '--logger', 'zap'],
      ...['--listen-client-urls', urlOf(server), '--advertise-client-urls', urlOf(server)],
      // With users, its gateway refuses clients that show a certificate with a name.
      ...(server.tls ? ['--cert-file', server.tls.cert, '--key-file', server.tls.key] : []),
      ...['--listen-peer-urls', `http://${server.host}:2380`],
      ...['--initial-advertise-peer-urls', `http://${server.host}:2380`],
      ...['--initial-cluster', all.map(({ name, host }) => `${name}=http://${host}:2380`).join(',')],
    ],
  }),
  isLeader: async (server) => {
    const url = `${urlOf(server)}/v3/maintenance/status`;
    const { json } = await httpCall({ method: 'POST', url, tls: server.tls, body: {}, timeoutMs: 2_000 });
    const status = json as { readonly leader?: string; readonly header: { readonly member_id: string } };
    return status.leader === status.header.member_id;
  },
};

function urlOf({ tls, address }: StoreServer): string {
  return `${tls === undefined ? 'http' : 'https'}://${address}`;
}

const javaFolder = '/usr/share/java';
/** What the server needs of the jars that its package brings along. */
const jars =
  /^(zookeeper|zookeeper-jute|slf4j-api|slf4j-simple|netty-[a-z-]+|metrics-core|snappy-java|commons-cli)\.jar$/;

const zookeeper: StoreProgram = {
  scheme: 'zk',
  port: 2181,
  securePort: 2182,
  command: (server, all, data) => {
    const settings = [
      ...['tickTime=500', 'initLimit=20', 'syncLimit=6', 'maxSessionTimeout=40000', 'maxClientCnxns=0'],
      ...[`dataDir=${data}`, 'clientPort=2181', `clientPortAddress=${server.host}`, 'admin.enableServer=false'],
      ...['4lw.commands.whitelist=srvr', ...all.map(({ number, host }) => `server.${number}=${host}:2888:3888`)],
      ...(server.tls ? secureSettings(server.tls, server.host, data) : []),
    ];
    writeFileSync(`${data}/zoo.cfg`, `${settings.join('\n')}\n`);
    writeFileSync(`${data}/myid`, `${server.number}\n`);
    const path = readdirSync(javaFolder).filter((name) => jars.test(name) && existsSync(`${javaFolder}/${name}`));
    return {
      command: 'java',
      args: [
        ...['-Xmx96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
        ...['-cp', path.map((name) => `${javaFolder}/${name}`).join(':')],
        ...['org.apache.zookeeper.server.quorum.QuorumPeerMain', `${data}/zoo.cfg`],
      ],
    };
  },
  isLeader: async (server) => /Mode: (leader|standalone)/.test(await fourLetters(server, 'srvr')),
};

/** The server wants key and certificate in one file. */
function secureSettings({ ca, cert, key }: Identity, host: string, data: string): readonly string[] {
  writeFileSync(`${data}/identity.pem`, `${readFileSync(key, 'utf8')}\n${readFileSync(cert, 'utf8')}`);
  return [
    ...['secureClientPort=2182', `secureClientPortAddress=${host}`],
    'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
    ...[`ssl.keyStore.location=${data}/identity.pem`, 'ssl.keyStore.type=PEM'],
    ...[`ssl.trustStore.location=${ca}`, 'ssl.trustStore.type=PEM'],
  ];
}

const programs: Record<StoreName, StoreProgram> = { consul, etcd, zookeeper };

/** ZooKeeper's answer to one of its plain commands. */
function fourLetters({ host }: StoreServer, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 2181, timeout: 2_000 });
    let answer = '';
    socket.on('connect', () => socket.write(word));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('timeout', () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(answer);
    });
  });
}
