// Questions that an engine passes on to a registry: log in, search, the digest behind a name. Any engine can ask
// them, but not every one need reach the registry, so another is tried when the first has no answer.
import { ApiError, unavailable } from '../../common/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ExchangeAnswer } from '../../proxy/exchange.ts';
import type { ApiCall } from '../api-call.ts';
import { askEngine, sendEngineAnswer } from '../engine-call.ts';
import { reachableEngines, whileHealthy } from '../fan-out.ts';
import { readBody } from '../request-body.ts';

const maxEngines = 3;
const timeoutMs = 60_000;

/** The first answer that is no failure of the engine itself; else the last one. */
export async function askAnyEngine(call: ApiCall): Promise<void> {
  const body = await readBody(call.req);
  const engines = reachableEngines(call).slice(0, maxEngines);
  let last: ExchangeAnswer | ApiError = new ApiError(503, 'no node is healthy');
  for (const engine of engines) {
    last = await ask(call, engine, body);
    if (!(last instanceof ApiError) && last.statusCode < 500) break;
  }
  if (last instanceof ApiError) throw last;
  sendEngineAnswer(call.res, last);
}

async function ask(call: ApiCall, engine: Engine, body: Buffer): Promise<ExchangeAnswer | ApiError> {
  const path = call.path.split('/').map(encodeURIComponent).join('/');
  try {
    return await whileHealthy(call, engine, (signal) => askEngine({ engine, path }, call, { body, signal }), timeoutMs);
  } catch (error) {
    call.signal.throwIfAborted();
    return error instanceof ApiError ? error : unavailable(engine.name, error);
  }
}
