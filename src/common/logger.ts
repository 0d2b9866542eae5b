// The logger, handed to whoever needs it and never global. Messages are constant strings, facts are metadata.
import winston from 'winston';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export const logLevels: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

type Facts = Readonly<Record<string, unknown>>;

export interface Logger {
  /** Someone must act. */
  error(message: string, facts?: Facts): void;
  /** Degraded, and will mend itself. */
  warn(message: string, facts?: Facts): void;
  /** Membership, state changes of engines, placements. */
  info(message: string, facts?: Facts): void;
  /** Each request and each event. */
  debug(message: string, facts?: Facts): void;
  /** A logger whose every line carries `facts` too. */
  child(facts: Facts): Logger;
}

/** A logger that writes one line of `time level message key=value ...` an entry to standard error. */
export function createLogger(level: LogLevel): Logger {
  return winston.createLogger({
    level,
    format: winston.format.combine(winston.format.timestamp(), winston.format.printf(formatLine)),
    transports: new winston.transports.Console({ stderrLevels: [...logLevels] }),
  });
}

/** A logger that writes nothing, for tests and for code that runs before the level is known. */
export function createSilentLogger(): Logger {
  return winston.createLogger({ silent: true, transports: new winston.transports.Console({ silent: true }) });
}

function formatLine(entry: winston.Logform.TransformableInfo): string {
  const { timestamp, level, message, ...facts } = entry;
  const pairs = Object.entries(facts).map(([key, value]) => ` ${key}=${formatFact(value)}`);
  return `${String(timestamp)} ${level.padEnd(5)} ${String(message)}${pairs.join('')}`;
}

function formatFact(value: unknown): string {
  const text = value instanceof Error ? value.message : typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
