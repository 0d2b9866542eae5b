// The flags that say how often a manager looks at engines: those of docker/classicswarm.
import { Option, type Command } from 'commander';
import { UsageError } from './usage-error.ts';
import { durationOfAtLeast, oneOf, wholeNumberOfAtLeast } from './values.ts';

export interface EngineTimingOptions {
  readonly heartbeatMs: number;
  readonly refreshMinMs: number;
  readonly refreshMaxMs: number;
  /** Failed probes until an engine is unhealthy. */
  readonly failureRetry: number;
}

export interface EngineTimingFlags {
  readonly heartbeat: number;
  readonly engineRefreshMinInterval: number;
  readonly engineRefreshMaxInterval: number;
  readonly engineFailureRetry: number;
}

const refreshOrderRule = 'max refresh interval cannot be less than min refresh interval';

export function addEngineTimings(command: Command): void {
  command
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
    .addOption(new Option('--engine-refresh-retry <count>').argParser(oneOf(['3'])).hideHelp());
}

/** Throws a UsageError for intervals in the wrong order. */
export function engineTimingOptions(flags: EngineTimingFlags): EngineTimingOptions {
  const { heartbeat, engineRefreshMinInterval, engineRefreshMaxInterval, engineFailureRetry } = flags;
  if (engineRefreshMinInterval > engineRefreshMaxInterval) {
    throw new UsageError(
      `${refreshOrderRule}: --engine-refresh-min-interval must not be greater than --engine-refresh-max-interval`,
    );
  }
  return {
    heartbeatMs: heartbeat,
    refreshMinMs: engineRefreshMinInterval,
    refreshMaxMs: engineRefreshMaxInterval,
    failureRetry: engineFailureRetry,
  };
}
