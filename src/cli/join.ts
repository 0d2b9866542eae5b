// `shoal join`: the agent, which announces one engine until it is told to stop.
import { openDiscovery } from '../../discovery/index.ts';
import { parseHostPort } from '../../discovery/entry.ts';
import { Agent } from '../agent/agent.ts';
import { createEngineProbe } from '../agent/engine-probe.ts';
import { aborted } from '../common/abort.ts';
import { createLogger } from '../common/logger.ts';
import type { JoinOptions } from './program.ts';

/** Resolves after the engine was withdrawn; rejects when the discovery cannot be used by an agent. */
export async function runJoin(options: JoinOptions, stop: AbortSignal): Promise<void> {
  const logger = createLogger(options.logLevel);
  const agent = new Agent({
    address: options.advertise,
    backend: openDiscovery(options.discovery, { role: 'agent', logger, discoveryOpts: options.discoveryOptions }),
    probe: createEngineProbe(parseHostPort(options.advertise)),
    heartbeatMs: options.heartbeatMs,
    ttlMs: options.ttlMs,
    delayMs: options.delayMs,
    logger,
  });
  agent.start();
  logger.info('the agent is ready', { engine: options.advertise });
  await aborted(stop);
  await agent.stop();
}
