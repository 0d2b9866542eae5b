// POST /images/load: every node gets the archive, which the client sends once.
import { parseGoBool } from '../../docker/go-bool.ts';
import type { ApiCall } from '../api-call.ts';
import { reachableEngines } from '../fan-out.ts';
import { answerWithProgress } from '../progress-fan-out.ts';
import { refreshEngines } from '../refresh-engines.ts';
import { openLoad, shareBody } from './image-copy.ts';
import { assertPlatformKnown } from './image-platform.ts';

export async function loadImages(call: ApiCall): Promise<void> {
  const engines = reachableEngines(call);
  for (const engine of engines) assertPlatformKnown(call, engine, '1.48');
  const body = shareBody(call.req, engines, call.signal);
  const answered = answerWithProgress(call, {
    engines,
    concurrency: engines.length,
    failsInStream: true,
    words: isQuiet(call) ? undefined : { begun: 'Loading', done: 'Load complete' },
    open: (engine, signal) => openLoad(call, engine, { search: call.search, body: body.copyFor(engine), signal }),
    close: (engine) => {
      body.copyFor(engine).destroy();
    },
    afterwards: async (done, failed) => {
      await refreshEngines(call, done, 'Images');
      return failed;
    },
  });
  const [outcome] = await Promise.allSettled([answered, body.sent]);
  if (outcome.status === 'rejected') throw outcome.reason;
}

/** Said of itself by every client that draws no progress; the engines' default too. */
function isQuiet({ query }: ApiCall): boolean {
  return !query.has('quiet') || parseGoBool(query.get('quiet'));
}
