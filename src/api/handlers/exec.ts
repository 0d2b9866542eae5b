// Exec instances: known only to the engine that made them, so the engine is remembered by the instance's id.
import type { ApiCall, RequestCall } from '../api-call.ts';
import { callEngine, sendEngineAnswer } from '../engine-call.ts';
import { isJsonObject } from '../request-body.ts';
import type { Target } from '../route.ts';
import { assertReachable, containerTarget } from './container-target.ts';

/** POST /containers/{name}/exec. */
export async function createExec(call: ApiCall): Promise<void> {
  const { location, ...target } = containerTarget(call);
  const answer = await callEngine(target, call);
  const id = answer.statusCode < 400 ? execId(answer.body) : undefined;
  if (id !== undefined) call.cluster.rememberExec(id, location.engine);
  sendEngineAnswer(call.res, answer);
}

/** Calls on an exec instance. */
export async function useExec(call: RequestCall): Promise<Target> {
  const id = call.params['id'] ?? '';
  const engine = await call.cluster.resolveExec(id, call.signal);
  assertReachable(engine);
  const action = call.path.slice('/exec/'.length + id.length);
  return { engine, path: `/exec/${encodeURIComponent(id)}${action}` };
}

function execId(body: Buffer): string | undefined {
  const created: unknown = JSON.parse(body.toString('utf8'));
  return isJsonObject(created) && typeof created['Id'] === 'string' ? created['Id'] : undefined;
}
