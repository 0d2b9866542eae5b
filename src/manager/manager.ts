// The composition root: builds every object of a manager from its options, starts them in the order in which
// they need each other and stops them in the opposite one.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import type { DiscoveryBackend } from '../../discovery/backend.ts';
import { openEmbeddedRegistry, type EmbeddedRegistry } from '../../discovery/embedded.ts';
import { embeddedRoutes } from '../../discovery/embedded-routes.ts';
import { Election } from '../../discovery/election.ts';
import { openDiscovery, openLeaderStore } from '../../discovery/index.ts';
import { alwaysPrimary, type Leadership } from '../../discovery/leadership.ts';
import { leaseOf } from '../../discovery/lease.ts';
import { openState } from '../../discovery/open-state.ts';
import { assertMayAnnounce } from '../api/announcers.ts';
import { formatListenAddress, type ListenAddress, type TlsIdentity } from '../api/listen-address.ts';
import type { RulesFile } from '../authorization/rules-file.ts';
import { createProvideImage } from '../api/provide-image.ts';
import { Replica } from '../api/replica.ts';
import { ApiServer } from '../api/server.ts';
import type { ApiSettings } from '../api/settings.ts';
import { translateCreate } from '../api/translate.ts';
import { Cluster } from '../cluster/cluster.ts';
import { CertificateFiles, type CertificatePaths } from '../common/certificate-files.ts';
import { RememberedNames } from '../cluster/names/remembered-names.ts';
import { ApiError } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import type { Logger } from '../common/logger.ts';
import { Admission } from '../engine/admission.ts';
import type { EngineTls } from '../engine/engine-agent.ts';
import { Engine } from '../engine/engine.ts';
import type { Filter, Strategy } from '../scheduler/contracts.ts';
import { openFilters } from '../scheduler/filters/index.ts';
import { standingFilterNames } from '../scheduler/filters/names.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { openStrategy } from '../scheduler/strategies/index.ts';
import type { AuditLog } from './audit-log.ts';
import { startMaintenance, type Maintenance } from './maintenance.ts';

export interface ManagerOptions {
  readonly version: string;
  readonly logger: Logger;
  /** Undefined: agents announce themselves to this manager. */
  readonly discovery: string | undefined;
  readonly discoveryOptions: Readonly<Record<string, string>>;
  /** Where an embedded registry keeps its members; what the nodes have is remembered beside it. */
  readonly registryFile: string | undefined;
  /** Where settings of nodes are kept, in place of the store of the discovery. */
  readonly stateFile: string | undefined;
  /** Undefined: it is the only manager. */
  readonly replication: { readonly advertise: string; readonly ttlMs: number } | undefined;
  readonly listen: readonly ListenAddress[];
  readonly strategy: string;
  readonly filters: readonly string[];
  /** Those of `strategy` and `filters` that are modules of the user. */
  readonly plugIns: {
    readonly strategy: Strategy | undefined;
    readonly filters: ReadonlyMap<string, Filter>;
  };
  readonly seed: number | undefined;
  readonly overcommit: number;
  readonly cpuMode: 'engine' | 'classic';
  readonly createRetry: number;
  /** For how long a name stays taken after the answer to its create was lost. */
  readonly createDoubtMs: number;
  /** `all`: stopped containers count as load. */
  readonly load: 'active' | 'all';
  /** Whether copies of one Compose service are kept apart where that is possible. */
  readonly spreadsReplicas: boolean;
  /** Whether names are given that a node may have which has not answered since the start. */
  readonly unseenNodes: 'known' | 'refuse' | 'ignore';
  readonly tls: ManagerTls;
  readonly maxConnectionsPerClient: number;
  /** Undefined: no limit. */
  readonly maxRequestsPerSecond: number | undefined;
  /** Undefined: everybody whom TLS lets in may do everything. */
  readonly rules: RulesFile | undefined;
  readonly audit: AuditLog | undefined;
  readonly heartbeatMs: number;
  readonly refreshMinMs: number;
  readonly refreshMaxMs: number;
  readonly failureRetry: number;
  readonly allowsEveryOrigin: boolean;
  readonly prefixesNamesWithNode: boolean;
  readonly networks: 'auto' | 'overlay' | 'bridge';
  /** How long a node must have been lost before its containers are made anew elsewhere. */
  readonly rescheduleGraceMs: number;
}

/** Undefined where connections are plain. */
interface ManagerTls {
  readonly clients: TlsLeg | undefined;
  readonly engines: TlsLeg | undefined;
}

interface TlsLeg {
  readonly files: CertificatePaths;
  /** The other side must show a certificate of the CA. */
  readonly verify: boolean;
}

/** Calls under way get so long before a primary hands over. */
const handOverWithinMs = 2_000;

/** Clients wait for it when this manager becomes the primary; an engine that is lost at the same time is not waited for longer. */
const catchUpMs = 3_000;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #logger: Logger;
  readonly #tasks: TaskSet;
  readonly #scheduler: Scheduler;
  readonly #cluster: Cluster;
  readonly #admission = new Admission();
  readonly #clientCertificates: CertificateFiles | undefined;
  readonly #engineCertificates: CertificateFiles | undefined;
  #discovery: DiscoveryBackend | undefined;
  readonly #election: Election | undefined;
  readonly #leadership: Leadership;
  #registry: EmbeddedRegistry | undefined;
  #server: ApiServer | undefined;
  #maintenance: Maintenance | undefined;

  /** Throws for a strategy or filter that does not exist, certificates that cannot be used, and replication without a store. */
  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#tasks = new TaskSet(options.logger);
    this.#scheduler = createScheduler(options);
    this.#clientCertificates = openCertificates(options.tls.clients, options.logger);
    this.#engineCertificates = openCertificates(options.tls.engines, options.logger);
    this.#election = openElection(options);
    this.#leadership = this.#election ?? alwaysPrimary;
    const { state, creates } = openState({ ...options, discoveryOpts: options.discoveryOptions });
    this.#cluster = new Cluster({
      scheduler: this.#scheduler,
      engineFactory: (address) => this.#createEngine(address),
      logger: options.logger,
      createRetry: options.createRetry,
      cpuMode: options.cpuMode,
      load: options.load,
      translate: translateCreate,
      provideImage: createProvideImage(options.logger),
      networks: options.networks,
      rescheduleTimings: { graceMs: options.rescheduleGraceMs },
      state,
      createDoubtMs: options.createDoubtMs,
      creates: creates && {
        store: creates,
        term: () => this.#leadership.term(),
        isShared: this.#election !== undefined,
      },
      withdraw: async (address, signal) => {
        await this.#discovery?.deregister({ address, alive: false }, signal);
      },
      unseenNodes: options.unseenNodes,
      rememberedNames: openRememberedNames(options),
      isPrimary: () => this.#leadership.isPrimary(),
    });
  }

  /** Resolves when the API is served on every address; rejects when one cannot be, and then nothing goes on. */
  async start(): Promise<void> {
    const { listen } = this.#options;
    try {
      await this.#options.audit?.start();
      const discovery = await this.#openDiscovery();
      this.#discovery = discovery;
      this.#server = this.#createServer(discovery);
      const bound = await listenOn(this.#server, listen);
      this.#followCertificates(this.#server);
      const { rules } = this.#options;
      if (rules !== undefined) this.#tasks.spawn('follow the rules', (signal) => rules.follow(signal));
      this.#tasks.spawn('follow discovery', (signal) => this.#cluster.follow(discovery.watch(signal), signal));
      this.#election?.start();
      this.#maintenance = startMaintenance(this.#cluster, discovery, this.#logger);
      this.#logger.info('the manager is ready', {
        listen: bound.map(formatListenAddress).join(' '),
        discovery: discovery.name,
        version: this.#options.version,
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Hands over to another manager, ends streams and connections, then everything behind them. Done within 10 s. May be
   * called more than once.
   */
  async stop(): Promise<void> {
    await this.#maintenance?.stop();
    // First, because every agent keeps a call to the registry open.
    await this.#registry?.stop();
    await this.#handOver();
    await this.#server?.stop();
    await this.#options.audit?.stop();
    await this.#tasks.stop();
    await this.#cluster.stop();
    await this.#election?.stop();
  }

  /** What comes in meanwhile waits, and goes to the next primary. */
  async #handOver(): Promise<void> {
    if (this.#election === undefined) return;
    this.#election.retire();
    await this.#server?.changesOver(handOverWithinMs);
    await this.#election.handOver();
  }

  async #openDiscovery(): Promise<DiscoveryBackend> {
    const { discovery, discoveryOptions: discoveryOpts, registryFile: stateFile } = this.#options;
    if (discovery !== undefined)
      return openDiscovery(discovery, { role: 'manager', logger: this.#logger, discoveryOpts });
    this.#registry = await openEmbeddedRegistry({ logger: this.#logger, stateFile });
    return this.#registry;
  }

  #createEngine(address: string): Engine {
    const { heartbeatMs, refreshMinMs, refreshMaxMs, failureRetry, logger } = this.#options;
    return new Engine({
      address,
      logger,
      admission: this.#admission,
      timings: {
        probeIntervalMs: heartbeatMs,
        engineRefreshMinIntervalMs: refreshMinMs,
        engineRefreshMaxIntervalMs: refreshMaxMs,
        failuresUntilUnhealthy: failureRetry,
      },
      ...(this.#engineCertificates && { tls: towardsEngine(this.#engineCertificates, this.#options.tls.engines) }),
      assertMayWrite: this.#election === undefined ? undefined : assertMayWrite(this.#election),
    });
  }

  #createServer(discovery: DiscoveryBackend): ApiServer {
    const { rules, audit, maxConnectionsPerClient, maxRequestsPerSecond } = this.#options;
    return new ApiServer({
      audit,
      maxConnectionsPerClient,
      maxRequestsPerSecond,
      ...(rules && { rules: () => rules.current }),
      cluster: this.#cluster,
      settings: this.#settings(discovery),
      logger: this.#logger,
      intercept: this.#intercept(),
      replica: this.#createReplica(),
      ...(this.#clientCertificates && { tls: towardsClients(this.#clientCertificates) }),
    });
  }

  #createReplica(): Replica | undefined {
    if (this.#election === undefined) return undefined;
    // Another manager is met as clients meet this one.
    const tls = this.#clientCertificates && towardsEngine(this.#clientCertificates, this.#options.tls.clients);
    const catchUp = (): Promise<void> => this.#cluster.members.readAgain(catchUpMs);
    return new Replica({ primacy: this.#election, tls, tasks: this.#tasks, catchUp });
  }

  #followCertificates(server: ApiServer): void {
    const [clients, engines] = [this.#clientCertificates, this.#engineCertificates];
    if (clients !== undefined) {
      const use = (): void => {
        server.useIdentity(towardsClients(clients));
      };
      this.#tasks.spawn('follow the certificates towards clients', (signal) => clients.follow(use, signal));
    }
    // Every connection to an engine reads them anew.
    if (engines !== undefined)
      this.#tasks.spawn('follow the certificates towards engines', (signal) => engines.follow(() => undefined, signal));
  }

  #settings(discovery: DiscoveryBackend): ApiSettings {
    const { version, prefixesNamesWithNode } = this.#options;
    const { strategy, filters } = this.#scheduler;
    return {
      version,
      gitCommit: 'unknown',
      buildTime: '',
      hostName: hostname(),
      strategy: strategy.name,
      filters: filters.map(({ name }) => name).filter((name) => !standingFilterNames.includes(name)),
      prefixesNamesWithNode,
      role: () => this.#role(),
      warnings: () => [...discoveryWarnings(discovery), ...this.#certificateWarnings()],
    };
  }

  #certificateWarnings(): string[] {
    const all = [this.#clientCertificates, this.#engineCertificates].flatMap((files) => files?.warnings() ?? []);
    return [...new Set(all)].map((text) => `WARNING: ${text}`);
  }

  #role(): ReturnType<ApiSettings['role']> {
    if (this.#leadership.isPrimary()) return { name: 'primary' };
    const primary = this.#leadership.primary();
    return { name: 'replica', primary: primary?.address ?? 'none' };
  }

  /** What looks at a request before the Docker API does: leave for other origins, and the agents' announcements. */
  #intercept(): (req: IncomingMessage, res: ServerResponse) => boolean {
    const registration =
      this.#registry === undefined
        ? undefined
        : embeddedRoutes(this.#registry, (req) => {
            const rules = this.#options.rules?.current;
            if (rules !== undefined) assertMayAnnounce(rules, req);
          });
    return (req, res) => {
      if (this.#options.allowsEveryOrigin) allowEveryOrigin(res);
      return registration?.(req, res) ?? false;
    };
  }
}

function discoveryWarnings({ name, silentSince }: DiscoveryBackend): readonly string[] {
  if (silentSince === undefined) return [];
  return [`WARNING: Discovery: ${name} does not answer since ${silentSince.toISOString()}; members stay as they are`];
}

function openCertificates(leg: TlsLeg | undefined, logger: Logger): CertificateFiles | undefined {
  return leg && new CertificateFiles(leg.files, logger);
}

function towardsClients({ current: { cert, key, ca } }: CertificateFiles): TlsIdentity {
  return { cert, key, ...(ca && { clientCa: ca }) };
}

/** What it holds is that of the moment in which it is read. */
function towardsEngine(certificates: CertificateFiles, leg: TlsLeg | undefined): EngineTls {
  return {
    get ca() {
      return certificates.current.ca ?? '';
    },
    get cert() {
      return certificates.current.cert;
    },
    get key() {
      return certificates.current.key;
    },
    rejectUnauthorized: leg?.verify ?? true,
    minVersion: 'TLSv1.2',
  };
}

function listenOn(server: ApiServer, addresses: readonly ListenAddress[]): Promise<ListenAddress[]> {
  return Promise.all(addresses.map((address) => server.listen(address)));
}

function openRememberedNames({ registryFile, stateFile, logger }: ManagerOptions): RememberedNames | undefined {
  const beside = registryFile ?? stateFile;
  return beside === undefined ? undefined : new RememberedNames(`${beside}.names`, logger);
}

function assertMayWrite(election: Election): () => void {
  return () => {
    if (!election.mayWrite()) throw new ApiError(503, 'this manager is not the primary any more: try again');
  };
}

function openElection({ replication, ...options }: ManagerOptions): Election | undefined {
  if (replication === undefined) return undefined;
  const { discovery, discoveryOptions: discoveryOpts, logger } = options;
  return new Election({
    store: openLeaderStore(discovery, { logger, discoveryOpts }),
    address: replication.advertise,
    leaseMs: leaseOf(replication.ttlMs),
    logger,
  });
}

function createScheduler({ strategy, seed, filters, plugIns, ...options }: ManagerOptions): Scheduler {
  const overcommit = { memory: options.overcommit, cpu: options.overcommit };
  const strategyOptions = { overcommit, seed };
  const opened = openFilters(filters, { overcommit, plugIns: plugIns.filters });
  return new Scheduler({
    filters: options.spreadsReplicas ? opened : opened.filter(({ name }) => name !== 'replicas'),
    strategy: plugIns.strategy ?? openStrategy(strategy, strategyOptions),
    ...strategyOptions,
  });
}

/** The headers with which dockerd's `--api-cors-header *` answered. */
function allowEveryOrigin(res: ServerResponse): void {
  res.setHeader('Access-Control-Allow-Origin', '*');
  res.setHeader('Access-Control-Allow-Headers', 'Origin, X-Requested-With, Content-Type, Accept, X-Registry-Auth');
  res.setHeader('Access-Control-Allow-Methods', 'HEAD, GET, POST, DELETE, PUT, OPTIONS');
}
