// `shoal join`: the agent, which announces one engine until it is told to stop, and opens it to managers when asked.
import type { DiscoveryBackend } from '../../discovery/backend.ts';
import { openDiscovery } from '../../discovery/index.ts';
import { parseHostPort } from '../../discovery/entry.ts';
import { Agent } from '../agent/agent.ts';
import { Door, type DoorIdentity } from '../agent/door.ts';
import { createEngineProbe, type EnginePlace } from '../agent/engine-probe.ts';
import { EngineView } from '../agent/engine-view.ts';
import { NodeFacts } from '../agent/node-facts.ts';
import { keepNodeId } from '../agent/node-id.ts';
import { ServiceAnnouncer } from '../agent/service-announcer.ts';
import { aborted } from '../common/abort.ts';
import { CertificateFiles } from '../common/certificate-files.ts';
import { errorMessage } from '../common/errors.ts';
import { TaskSet } from '../common/lifecycle.ts';
import { createLogger, type Logger } from '../common/logger.ts';
import type { DoorOptions, JoinOptions } from './join-command.ts';
import { UsageError } from './usage-error.ts';

/** Resolves after the engine was withdrawn; rejects when the discovery cannot be used by an agent, or the door not be opened. */
export async function runJoin(options: JoinOptions, stop: AbortSignal): Promise<void> {
  const logger = createLogger(options.logLevel);
  const engine = enginePlace(options);
  const facts = new NodeFacts({
    id: await nodeId(options.stateDirectory, logger),
    labels: options.labels,
    labelFile: options.labelFile,
    labelScript: options.labelScript,
    reservedNanoCpus: options.reserve.nanoCpus,
    reservedMemoryBytes: options.reserve.memoryBytes,
    // Only an engine on a unix socket is surely on this machine.
    engine: 'socketPath' in engine ? new EngineView(engine) : undefined,
    logger,
  });
  const { discovery, discoveryOptions: discoveryOpts } = options;
  const backend = openDiscovery(discovery, { role: 'agent', logger, discoveryOpts });
  const services = announceServices(backend, options, logger);
  const agent = new Agent({
    facts,
    address: options.advertise,
    backend,
    probe: createEngineProbe(engine),
    heartbeatMs: options.heartbeatMs,
    ttlMs: options.ttlMs,
    delayMs: options.delayMs,
    logger,
  });
  const door = options.door === undefined ? undefined : await openDoor(options.door, engine, logger);
  agent.start();
  services?.start();
  logger.info('the agent is ready', { engine: options.advertise });
  await aborted(stop);
  await services?.stop();
  await agent.stop();
  await door?.stop();
}

function announceServices(
  backend: DiscoveryBackend,
  options: JoinOptions,
  logger: Logger,
): ServiceAnnouncer | undefined {
  if (!backend.publish) {
    if (options.services) throw new UsageError('--services needs Consul as the discovery: consul://HOST:PORT/PREFIX');
    return undefined;
  }
  const publish = backend.publish.bind(backend);
  const engine = options.services ? new EngineView(enginePlace(options)) : undefined;
  const address = options.advertise;
  return new ServiceAnnouncer({ address, nodeHost: parseHostPort(address).host, engine, publish, logger });
}

function enginePlace({ engine, advertise }: JoinOptions): EnginePlace {
  if (engine === undefined) return parseHostPort(advertise);
  return engine.kind === 'unix' ? { socketPath: engine.path } : { host: engine.host, port: engine.port };
}

/** A node whose id cannot be kept goes by that of its engine. */
async function nodeId(directory: string | undefined, logger: Logger): Promise<string> {
  if (directory === undefined) return '';
  try {
    return await keepNodeId(directory);
  } catch (error) {
    logger.warn('the node has no id of its own', { error: errorMessage(error) });
    return '';
  }
}

async function openDoor({ listen, tls }: DoorOptions, engine: EnginePlace, logger: Logger): Promise<OpenDoor> {
  const certificates = tls && new CertificateFiles(tls.files, logger);
  if (tls?.verify !== true) {
    logger.warn('whoever reaches this address commands the engine: --tlsverify lets in managers alone', { ...listen });
  }
  const door = new Door({ engine, logger, ...(certificates && { tls: identityOf(certificates) }) });
  await door.listen(listen);
  const tasks = new TaskSet(logger);
  if (certificates !== undefined) {
    const use = (): void => {
      door.useIdentity(identityOf(certificates));
    };
    tasks.spawn('follow the certificates', (signal) => certificates.follow(use, signal));
  }
  return {
    stop: async () => {
      await Promise.all([tasks.stop(), door.stop()]);
    },
  };
}

interface OpenDoor {
  readonly stop: () => Promise<void>;
}

function identityOf({ current: { cert, key, ca } }: CertificateFiles): DoorIdentity {
  return { cert, key, ...(ca && { clientCa: ca }) };
}
