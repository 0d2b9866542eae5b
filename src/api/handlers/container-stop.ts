// Stop and restart. Engines before API 1.42 ignore `signal` without a word and send the container's own stop
// signal, so for them the manager sends the signal and waits itself, and the engine's stop only enforces.
import { sleep } from '../../common/abort.ts';
import { ApiError } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import { swarmMember } from '../../docker/swarm-member.ts';
import { EngineUnreachable } from '../../engine/unreachable.ts';
import type { ExchangeAnswer } from '../../proxy/exchange.ts';
import type { ApiCall } from '../api-call.ts';
import { callEngine, callEngineAndSettle, sendEngineAnswer, settle } from '../engine-call.ts';
import type { Target } from '../route.ts';
import { effectiveVersion } from '../versions.ts';
import { locateContainer } from './container-target.ts';
import { change } from './containers.ts';

/** dockerd's default when neither the request nor the container says how long to wait. */
const defaultGraceSeconds = 10;
/** The longest time a timer of Node can wait; stands for "for ever". */
const foreverMs = 2 ** 31 - 1;
const startAttempts = 4;
const startPauseMs = 500;

/** POST /containers/{name}/stop. */
export async function stopContainer(call: ApiCall): Promise<void> {
  const target = change(call);
  if (!mustSendSignal(target, call)) {
    await callEngineAndSettle(target, call);
    return;
  }
  const wasRunning = await sendSignal(target, call);
  await awaitExit(target, call);
  const answer = await callEngine({ ...target, search: 't=0' }, call);
  await settle(target, call.signal);
  // The engine finds the container stopped, but it was this call that stopped it.
  if (answer.statusCode === 304 && wasRunning) call.sendEmpty(204);
  else sendEngineAnswer(call.res, answer);
}

/** POST /containers/{name}/restart. */
export async function restartContainer(call: ApiCall): Promise<void> {
  const giveRoomBack = call.cluster.placer.holdRoomToStart(locateContainer(call));
  try {
    await restart(call);
  } finally {
    giveRoomBack();
  }
}

async function restart(call: ApiCall): Promise<void> {
  const target = change(call);
  const startInstead = (answer: ExchangeAnswer): Promise<boolean> => startStopped(target, call, answer);
  if (!mustSendSignal(target, call)) {
    await callEngineAndSettle(target, call, startInstead);
    return;
  }
  await sendSignal(target, call);
  await awaitExit(target, call);
  await callEngineAndSettle({ ...target, search: 't=0' }, call, startInstead);
}

/**
 * Whether the container of a failed restart could be started, and the call is answered. A node of a swarm forgets a
 * network when its last container there stops: one that restarts at that moment does not find it, and stays stopped.
 */
async function startStopped(target: Target, call: ApiCall, { statusCode }: ExchangeAnswer): Promise<boolean> {
  if (statusCode < 400 || swarmMember(target.engine.info).state !== 'active') return false;
  for (let attempt = 1; attempt <= startAttempts; attempt += 1) {
    if (await isStarted(target, call)) {
      await settle(target, call.signal);
      call.sendEmpty(204);
      return true;
    }
    await sleep(startPauseMs, call.signal);
  }
  return false;
}

async function isStarted(target: Target, call: ApiCall): Promise<boolean> {
  try {
    await target.engine.client.request({ method: 'POST', path: siblingPath(target, 'start'), signal: call.signal });
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}

function mustSendSignal({ engine }: Target, call: ApiCall): boolean {
  const asked = call.query.get('signal') ?? '';
  return asked !== '' && compareApiVersion(effectiveVersion(call.version, engine), '1.42') < 0;
}

/** Sends the asked signal; false when the container does not run. */
async function sendSignal(target: Target, call: ApiCall): Promise<boolean> {
  try {
    await target.engine.client.request({
      method: 'POST',
      path: siblingPath(target, 'kill'),
      query: { signal: call.query.get('signal') ?? '' },
      signal: call.signal,
    });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return false;
    throw error;
  }
}

/** Resolves when the container has exited, or the time that the caller grants it is over. */
async function awaitExit(target: Target, call: ApiCall): Promise<void> {
  const graceSeconds = Number(call.query.get('t') ?? defaultGraceSeconds);
  try {
    await target.engine.client.request({
      method: 'POST',
      path: siblingPath(target, 'wait'),
      signal: call.signal,
      timeoutMs: graceSeconds < 0 ? foreverMs : Math.min(graceSeconds * 1000, foreverMs),
    });
  } catch (error) {
    const isOver = error instanceof EngineUnreachable && error.kind === 'timeout';
    if (!isOver) throw error;
  }
}

/** The path of another action on the container that `target` acts on. */
function siblingPath(target: Target, action: string): string {
  return target.path.replace(/[^/]+$/, action);
}
