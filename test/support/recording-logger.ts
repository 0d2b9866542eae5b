// A log of which only the warnings are kept, for tests of what operators are told.
import type { Logger } from '../../src/common/logger.ts';

/** Adds each warning with its facts to `lines`. */
export function recordingLogger(lines: string[]): Logger {
  const ignore = (): void => undefined;
  const logger: Logger = {
    error: ignore,
    warn: (message, facts) => {
      lines.push(`${message} ${JSON.stringify(facts)}`);
    },
    info: ignore,
    debug: ignore,
    child: () => logger,
  };
  return logger;
}
