// What a call could not do on some nodes although it succeeded: told to the client in a Warning header, which every
// client may ignore, and to the operator in the log.
import type { ApiCall } from './api-call.ts';
import type { Failure } from './fan-out.ts';

/** A header must stay small, however many nodes there are. */
const maxNodesInHeader = 10;

/** To be called before the answer. */
export function warnOfFailures(call: ApiCall, failed: readonly Failure[]): void {
  if (failed.length === 0) return;
  const texts = failed.map(({ engine, error }) => `${call.cluster.members.identityOf(engine).name}: ${error.message}`);
  call.logger.warn('a call did not succeed on every node', { path: call.path, failures: texts });
  const header = texts.slice(0, maxNodesInHeader).map((text) => `199 shoal "${headerText(text)}"`);
  if (!call.res.headersSent) call.res.setHeader('Warning', header);
}

/** As a quoted string of a header may be: printable ASCII on one line. */
function headerText(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/["\\]/g, "'")
    .slice(0, 500);
}
