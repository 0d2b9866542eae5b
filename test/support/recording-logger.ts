// Logs that are kept, for tests of what operators are told, and of what nobody must be told.
import type { Logger } from '../../src/common/logger.ts';

/** Adds each warning with its facts to `lines`. */
export function recordingLogger(lines: string[]): Logger {
  const ignore = (): void => undefined;
  const logger: Logger = { error: ignore, warn: keeper(lines), info: ignore, debug: ignore, child: () => logger };
  return logger;
}

/** Adds everything, at every level, to `lines`. */
export function recordingEverything(lines: string[]): Logger {
  const keep = keeper(lines);
  const logger: Logger = {
    ...{ error: keep, warn: keep, info: keep, debug: keep },
    child: (facts) => {
      keep('child', facts);
      return logger;
    },
  };
  return logger;
}

function keeper(lines: string[]): Logger['warn'] {
  return (message, facts) => {
    lines.push(`${message} ${JSON.stringify(facts)}`);
  };
}
