// Exec instances: known only to the engine that made them, so the engine is remembered by the instance's id.
import { goMember } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import { callEngine, sendEngineAnswer } from '../engine-call.ts';
import { isJsonObject } from '../request-body.ts';
import type { Target } from '../route.ts';
import { assertReachable, containerTarget } from './container-target.ts';
import { needsStreamType, streamType } from './stream-type.ts';

/** POST /containers/{name}/exec. */
export async function createExec(call: ApiCall): Promise<void> {
  const { location, ...target } = containerTarget(call);
  const answer = await callEngine(target, call);
  const id = answer.statusCode < 400 ? execId(answer.body) : undefined;
  if (id !== undefined) call.cluster.execs.remember(id, location.engine);
  sendEngineAnswer(call.res, answer);
}

/** Calls on an exec instance. */
export async function useExec(call: RequestCall): Promise<Target> {
  const id = call.params['id'] ?? '';
  const engine = await call.cluster.execs.resolve(id, call.signal);
  assertReachable(engine);
  const action = call.path.slice('/exec/'.length + id.length);
  return { engine, path: `/exec/${encodeURIComponent(id)}${action}` };
}

/** POST /exec/{id}/start. */
export async function startExec(call: RequestCall): Promise<Target> {
  const target = await useExec(call);
  const isTerminal = needsStreamType(call, target.engine) ? await usesTerminal(call, target.engine) : undefined;
  return isTerminal === undefined ? target : { ...target, contentType: streamType(isTerminal) };
}

/** Undefined where the engine does not say: it has the words for why. */
async function usesTerminal(call: RequestCall, engine: Engine): Promise<boolean | undefined> {
  const path = `/exec/${encodeURIComponent(call.params['id'] ?? '')}/json`;
  try {
    const { body } = await engine.client.request({ method: 'GET', path, signal: call.signal });
    return goMember(goMember(body, 'ProcessConfig'), 'tty') === true;
  } catch {
    call.signal.throwIfAborted();
    return undefined;
  }
}

function execId(body: Buffer): string | undefined {
  const created: unknown = JSON.parse(body.toString('utf8'));
  return isJsonObject(created) && typeof created['Id'] === 'string' ? created['Id'] : undefined;
}
