// Archives of images to many nodes: one body, read once, sent to all of them at the pace of the slowest. An engine
// that is lost, or that answers before it has read everything, is left behind and holds up nobody.
import { PassThrough, type Readable } from 'node:stream';
import { ApiError, errorMessage, unavailable } from '../../common/errors.ts';
import { readNdjson } from '../../common/ndjson.ts';
import type { Engine } from '../../engine/engine.ts';
import { openStream } from '../../proxy/open-stream.ts';
import type { OpenedStream } from '../../proxy/open-stream.ts';
import { tee } from '../../proxy/tee.ts';
import type { ApiCall } from '../api-call.ts';
import { fanOut, failures, whileHealthy } from '../fan-out.ts';
import type { Failure } from '../fan-out.ts';
import { assertNoError, assertOpened } from '../progress-fan-out.ts';
import { effectivePath } from '../versions.ts';

/** Copies of one body, one for each engine. */
export interface SharedBody {
  /** Each engine's copy; to be destroyed when the engine has answered. */
  copyFor(engine: Engine): Readable;
  /** Resolves when the body was read, or when nobody wants it any more. */
  readonly sent: Promise<void>;
}

export function shareBody(body: Readable, engines: readonly Engine[], signal: AbortSignal): SharedBody {
  const copies = new Map(engines.map((engine) => [engine, new PassThrough()]));
  return {
    copyFor: (engine) => copies.get(engine) ?? new PassThrough().end(),
    sent: sendToAll(body, [...copies.values()], signal),
  };
}

/** Copies an image that `source` has to the other engines; resolves with those that did not take it. */
export async function copyImage(
  call: ApiCall,
  source: Engine,
  targets: readonly Engine[],
  reference: string,
): Promise<readonly Failure[]> {
  if (targets.length === 0) return [];
  try {
    return await whileHealthy(call, source, (signal) => copyFrom(call, source, { targets, reference, signal }));
  } catch (error) {
    call.signal.throwIfAborted();
    const known = error instanceof ApiError ? error : unavailable(source.name, errorMessage(error));
    return targets.map((engine) => ({ engine, isDone: false, error: known }));
  }
}

interface Copy {
  readonly targets: readonly Engine[];
  readonly reference: string;
  readonly signal: AbortSignal;
}

async function copyFrom(
  call: ApiCall,
  source: Engine,
  { targets, reference, signal }: Copy,
): Promise<readonly Failure[]> {
  const search = new URLSearchParams({ names: reference }).toString();
  const path = effectivePath(call, source, { path: '/images/get', search });
  const archive = await assertOpened(await openStream(source.endpoint, { method: 'GET', path, signal }));
  const body = shareBody(archive.stream, targets, signal);
  const [outcomes] = await Promise.all([
    fanOut(call, targets, (engine, lost) => loadInto(call, engine, body.copyFor(engine), lost), {
      timeoutMs: copyTimeoutMs,
      concurrency: targets.length,
    }),
    body.sent,
  ]);
  return failures(outcomes);
}

const copyTimeoutMs = 60 * 60_000;

async function loadInto(call: ApiCall, engine: Engine, copy: Readable, signal: AbortSignal): Promise<void> {
  try {
    const { stream } = await assertOpened(await openLoad(call, engine, { search: 'quiet=1', body: copy, signal }));
    for await (const line of readNdjson(stream)) assertNoError(line);
  } finally {
    copy.destroy();
  }
}

export interface LoadRequest {
  readonly search: string;
  readonly body: Readable;
  readonly signal: AbortSignal;
}

export async function openLoad(
  call: ApiCall,
  engine: Engine,
  { search, body, signal }: LoadRequest,
): Promise<OpenedStream> {
  return await openStream(engine.endpoint, {
    method: 'POST',
    path: effectivePath(call, engine, { path: '/images/load', search }),
    headers: { 'Content-Type': call.req.headers['content-type'] ?? 'application/x-tar' },
    body,
    signal,
  });
}

async function sendToAll(body: Readable, copies: readonly PassThrough[], signal: AbortSignal): Promise<void> {
  try {
    await tee(body, copies, signal);
  } finally {
    // What nobody wants must still be read, or the connection could not carry another request.
    body.resume();
  }
}
