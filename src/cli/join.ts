// `shoal join`: the agent, which announces one engine until it is told to stop, and opens it to managers when asked.
import { openDiscovery } from '../../discovery/index.ts';
import { parseHostPort } from '../../discovery/entry.ts';
import { Agent } from '../agent/agent.ts';
import { Door } from '../agent/door.ts';
import { createEngineProbe, type EnginePlace } from '../agent/engine-probe.ts';
import { aborted } from '../common/abort.ts';
import { createLogger, type Logger } from '../common/logger.ts';
import type { DoorOptions, JoinOptions } from './program.ts';

/** Resolves after the engine was withdrawn; rejects when the discovery cannot be used by an agent, or the door not be opened. */
export async function runJoin(options: JoinOptions, stop: AbortSignal): Promise<void> {
  const logger = createLogger(options.logLevel);
  const engine = enginePlace(options);
  const agent = new Agent({
    address: options.advertise,
    backend: openDiscovery(options.discovery, { role: 'agent', logger, discoveryOpts: options.discoveryOptions }),
    probe: createEngineProbe(engine),
    heartbeatMs: options.heartbeatMs,
    ttlMs: options.ttlMs,
    delayMs: options.delayMs,
    logger,
  });
  const door = options.door === undefined ? undefined : await openDoor(options.door, engine, logger);
  agent.start();
  logger.info('the agent is ready', { engine: options.advertise });
  await aborted(stop);
  await agent.stop();
  await door?.stop();
}

function enginePlace({ engine, advertise }: JoinOptions): EnginePlace {
  if (engine === undefined) return parseHostPort(advertise);
  return engine.kind === 'unix' ? { socketPath: engine.path } : { host: engine.host, port: engine.port };
}

async function openDoor({ listen, tls }: DoorOptions, engine: EnginePlace, logger: Logger): Promise<Door> {
  const identity = tls && { cert: tls.cert, key: tls.key, ...(tls.verify && tls.ca ? { clientCa: tls.ca } : {}) };
  if (identity?.clientCa === undefined) {
    logger.warn('whoever reaches this address commands the engine: --tlsverify lets in managers alone', { ...listen });
  }
  const door = new Door({ engine, logger, ...(identity ? { tls: identity } : {}) });
  await door.listen(listen);
  return door;
}
