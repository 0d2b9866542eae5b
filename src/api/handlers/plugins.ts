// Plugins: each engine has its own, under ids of its own; here a plugin is one thing by its name. What changes it is
// done on every engine that has it, and it counts as enabled when it is so everywhere.
import { ApiError } from '../../common/errors.ts';
import { parseFilters } from '../../docker/filters.ts';
import { isWireObject, textMember } from '../../docker/go-member.ts';
import type { WireObject } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ExchangeAnswer } from '../../proxy/exchange.ts';
import { openStream } from '../../proxy/open-stream.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import { askEngine, assertSuccess, passedHeaders, sendEngineAnswer } from '../engine-call.ts';
import { failures, fanOut, namedError, reachableEngines, successes } from '../fan-out.ts';
import type { Outcome } from '../fan-out.ts';
import { warnOfFailures } from '../node-warnings.ts';
import { answerWithProgress, assertOpened } from '../progress-fan-out.ts';
import { readBody } from '../request-body.ts';
import type { Target } from '../route.ts';
import { effectivePath } from '../versions.ts';
import { shareBody } from './image-copy.ts';

const readTimeoutMs = 15_000;
const changeTimeoutMs = 5 * 60_000;
const installConcurrency = 16;

/** GET /plugins. */
export async function listPlugins(call: ApiCall): Promise<void> {
  const filters = parseFilters(call.query.get('filters')).without('node');
  const search = filters.isEmpty ? '' : new URLSearchParams({ filters: filters.toJson() }).toString();
  const outcomes = await askAll(call, reachableEngines(call), { path: '/plugins', search, timeoutMs: readTimeoutMs });
  const [failed] = failures(outcomes);
  if (failed !== undefined && successes(outcomes).length === 0) throw failed.error;
  warnOfFailures(call, failures(outcomes));
  call.send(200, mergePlugins(successes(outcomes).flatMap(({ value }) => parseRows(value.body))));
}

/** GET /plugins/{name}/json: of the first engine that has it. */
export async function inspectPlugin(call: ApiCall): Promise<void> {
  const outcomes = await askAll(call, reachableEngines(call), { path: pluginPath(call), timeoutMs: readTimeoutMs });
  sendEngineAnswer(call.res, answerOf(outcomes));
}

/** POST /plugins/{name}/enable, /disable and /set, DELETE /plugins/{name}: on every engine that has it. */
export async function changePlugin(call: ApiCall): Promise<void> {
  const body = await readBody(call.req);
  const outcomes = await askAll(call, reachableEngines(call), {
    path: pluginPath(call),
    body,
    timeoutMs: changeTimeoutMs,
  });
  const hard = failures(outcomes).find(({ error }) => error.status !== 404);
  if (hard !== undefined) throw namedError(call, hard);
  sendEngineAnswer(call.res, answerOf(outcomes));
}

/** POST /plugins/pull and /plugins/{name}/upgrade: an upgrade concerns only the engines that have the plugin. */
export async function installPlugin(call: ApiCall): Promise<void> {
  const body = await readBody(call.req);
  const path = pluginPath(call);
  await answerWithProgress(call, {
    engines: reachableEngines(call),
    concurrency: installConcurrency,
    words: { begun: 'Pulling', done: 'Pull complete' },
    open: (engine, signal) =>
      openStream(engine.endpoint, {
        method: 'POST',
        path: effectivePath(call, engine, { path, search: call.search }),
        headers: passedHeaders(call.req),
        body,
        signal,
      }),
    ...(call.params['name'] === undefined ? {} : { isIrrelevant: ({ status }) => status === 404 }),
    afterwards: (_done, failed) => Promise.resolve(failed),
  });
}

/** POST /plugins/create: every node gets the archive, which the client sends once. */
export async function createPlugin(call: ApiCall): Promise<void> {
  const engines = reachableEngines(call);
  const body = shareBody(call.req, engines, call.signal);
  const created = fanOut(
    call,
    engines,
    async (engine, signal) => {
      try {
        const path = effectivePath(call, engine, { path: '/plugins/create', search: call.search });
        const headers = passedHeaders(call.req);
        const opened = await openStream(engine.endpoint, {
          method: 'POST',
          path,
          headers,
          body: body.copyFor(engine),
          signal,
        });
        (await assertOpened(opened)).stream.resume();
      } finally {
        body.copyFor(engine).destroy();
      }
    },
    { timeoutMs: changeTimeoutMs, concurrency: engines.length },
  );
  const [outcome] = await Promise.allSettled([created, body.sent]);
  if (outcome.status === 'rejected') throw outcome.reason;
  const [failed] = failures(outcome.value);
  if (failed !== undefined) throw namedError(call, failed);
  call.sendEmpty(204);
}

/** POST /plugins/{name}/push: by the first engine that has it. */
export async function pushPlugin(call: RequestCall): Promise<Target> {
  const name = call.params['name'] ?? '';
  const path = `/plugins/${encodeURIComponent(name)}/json`;
  const outcomes = await fanOut(
    call,
    reachableEngines(call),
    (engine, signal) => engine.client.request({ method: 'GET', path, signal, timeoutMs: readTimeoutMs }),
    { timeoutMs: readTimeoutMs },
  );
  const [owner] = successes(outcomes);
  if (owner === undefined) throw new ApiError(404, `plugin ${JSON.stringify(name)} not found`);
  return { engine: owner.engine, path: pluginPath(call), isProgress: true };
}

function pluginPath(call: RequestCall): string {
  return call.path.split('/').map(encodeURIComponent).join('/');
}

interface Question {
  readonly path: string;
  readonly search?: string;
  readonly body?: Buffer;
  readonly timeoutMs: number;
}

async function askAll(
  call: ApiCall,
  engines: readonly Engine[],
  { path, search = call.search, body = Buffer.alloc(0), timeoutMs }: Question,
): Promise<readonly Outcome<ExchangeAnswer>[]> {
  return await fanOut(
    call,
    engines,
    async (engine, signal) => {
      const answer = await askEngine({ engine, path, search }, call, { body, signal });
      assertSuccess(answer);
      return answer;
    },
    { timeoutMs },
  );
}

/** The first engine's success; else that nobody has the plugin, where any engine says so. */
function answerOf(outcomes: readonly Outcome<ExchangeAnswer>[]): ExchangeAnswer {
  const [first] = successes(outcomes);
  if (first !== undefined) return first.value;
  const errors = failures(outcomes).map(({ error }) => error);
  throw errors.find(({ status }) => status === 404) ?? errors[0] ?? new ApiError(503, 'no node is healthy');
}

function mergePlugins(plugins: readonly WireObject[]): WireObject[] {
  const byName = new Map<string, WireObject>();
  for (const plugin of plugins) {
    const name = textMember(plugin, 'Name');
    const known = byName.get(name);
    const isEnabled = plugin['Enabled'] === true && (known?.['Enabled'] ?? true) === true;
    byName.set(name, { ...(known ?? plugin), Enabled: isEnabled });
  }
  return [...byName.values()];
}

function parseRows(body: Buffer): readonly WireObject[] {
  const rows: unknown = JSON.parse(body.toString('utf8'));
  return Array.isArray(rows) ? rows.filter(isWireObject) : [];
}
