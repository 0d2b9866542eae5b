// Every clock of an engine connection in one place, so that tests and operators change them together.

/** All in milliseconds, but for the count. */
export interface EngineTimings {
  /** Between two probes of a healthy engine. */
  readonly probeIntervalMs: number;
  /** An engine that has not answered a probe by then has failed it. */
  readonly probeTimeoutMs: number;
  /** From the start of a failed probe to the start of the next one, while the engine is not yet given up. */
  readonly probeRetryMs: number;
  /** Failed probes in a row; with the defaults within 15 s of a hang and 3 s of a refused connection. */
  readonly failuresUntilUnhealthy: number;
  /** Between two probes of an unhealthy engine: from the first to the second, growing. */
  readonly recoveryMinMs: number;
  readonly recoveryMaxMs: number;
  /** Deadline of a call that names no other. */
  readonly requestTimeoutMs: number;
  /** Deadline of a list; an engine that exceeds it answers pings but is of no use, and becomes unhealthy. */
  readonly listTimeoutMs: number;
  /** Deadline of the inspect of one container. */
  readonly inspectTimeoutMs: number;
  /** Longest wait for the next of many inspects that were asked behind one another; that one is then asked alone. */
  readonly inspectPatienceMs: number;
  /** Wait before another attempt after a broken connection or a failed refresh: from the first to the second, growing. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** The complete refresh runs at a random moment between the two, so that many engines spread over time. */
  readonly engineRefreshMinIntervalMs: number;
  readonly engineRefreshMaxIntervalMs: number;
  /** Between two reads of `/info`. */
  readonly infoRefreshIntervalMs: number;
  /** How long events about a container are gathered before it is read. */
  readonly containerDebounceMs: number;
  /** How long events about images, networks and volumes are gathered before the list is read. */
  readonly debounceMs: number;
  /** An event is published after this time even when its effect could not be read. */
  readonly eventHoldMs: number;
}

export const defaultTimings: EngineTimings = {
  probeIntervalMs: 5_000,
  probeTimeoutMs: 3_000,
  probeRetryMs: 1_000,
  failuresUntilUnhealthy: 3,
  recoveryMinMs: 1_000,
  recoveryMaxMs: 5_000,
  requestTimeoutMs: 30_000,
  listTimeoutMs: 20_000,
  inspectTimeoutMs: 10_000,
  inspectPatienceMs: 1_000,
  retryMinMs: 100,
  retryMaxMs: 5_000,
  engineRefreshMinIntervalMs: 30_000,
  engineRefreshMaxIntervalMs: 60_000,
  infoRefreshIntervalMs: 60_000,
  containerDebounceMs: 10,
  debounceMs: 50,
  eventHoldMs: 2_000,
};
