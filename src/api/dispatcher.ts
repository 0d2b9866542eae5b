// Serves a matched call in the way that its route says. A call that changes something is answered only after
// the mirror shows the change; everything else streams.
import { forward } from '../proxy/forward.ts';
import { changeHeaders, headerValue } from '../proxy/raw-head.ts';
import type { HeaderChanges, ResponseHead } from '../proxy/raw-head.ts';
import { hijack } from '../proxy/hijack.ts';
import type { TakenConnection } from '../proxy/hijack.ts';
import type { ApiCall, RequestCall } from './api-call.ts';
import { callEngineAndSettle, settle } from './engine-call.ts';
import { progressError } from './errors.ts';
import type { Handling, Target } from './route.ts';
import { effectivePath } from './versions.ts';

/** By name, for every answer. */
type Headers = Readonly<Record<string, string>>;

/** Serves an ordinary request; resolves when it is answered. Throws what the client is to be told. */
export async function dispatch(handling: Handling, call: ApiCall, headers: Headers): Promise<void> {
  switch (handling.kind) {
    case 'answer':
      setHeaders(call, headers);
      await handling.handle(call);
      return;
    case 'forward':
    case 'hijack':
      // An upgrade that the client did not ask for: the engine has the words for that.
      await forwardTo(await handling.target(call), call, headers);
      return;
  }
}

/** Joins a connection that was taken from the server with one to `target`; resolves when both are closed. */
export async function dispatchTaken(
  target: Target,
  call: RequestCall,
  taken: TakenConnection,
  headers: Headers,
): Promise<void> {
  const { engine } = target;
  call.trace.reaches(engine.name);
  await hijack(taken, engine.endpoint, {
    path: pathOnEngine(target, call),
    ...(target.headers && { headers: target.headers }),
    onHead: (head) => {
      call.trace.end(head.statusCode);
      // Without an upgrade engines call every stream raw.
      const type = head.statusCode === 101 ? typeChange(target) : {};
      return { ...head, rawHeaders: changeHeaders(head.rawHeaders, { ...replacements(head, headers), ...type }) };
    },
    signal: call.signal,
  });
  await settle({ settle: target.settleStream }, call.signal);
}

async function forwardTo(target: Target, call: ApiCall, headers: Headers): Promise<void> {
  call.trace.reaches(target.engine.name);
  if (target.settle) {
    setHeaders(call, headers);
    await callEngineAndSettle(target, call);
    return;
  }
  // Node keeps repeated headers only on a response that had none before its head is written.
  await forward(call.req, call.res, target.engine.endpoint, {
    path: pathOnEngine(target, call),
    signal: call.signal,
    ...(target.headers && { headers: target.headers }),
    ...(target.isProgress && { farewell: (cause) => progressError(500, cause.message) }),
    beforeEnd: (signal) => settle({ settle: target.settleStream }, signal),
    onHead: (head) => {
      const changes = { ...headers, ...(head.statusCode === 200 ? typeChange(target) : {}), date: undefined };
      return { ...head, rawHeaders: changeHeaders(head.rawHeaders, changes) };
    },
  });
}

/** The head of a raw stream has some of `headers` or none, as the engine has it. */
function replacements({ rawHeaders }: ResponseHead, headers: Headers): HeaderChanges {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => headerValue(rawHeaders, name) !== undefined));
}

function typeChange({ contentType }: Target): HeaderChanges {
  return contentType === undefined ? {} : { 'Content-Type': contentType };
}

function setHeaders(call: ApiCall, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) call.res.setHeader(name, value);
}

function pathOnEngine({ engine, path, search }: Target, call: RequestCall): string {
  return effectivePath(call, engine, { path, search: search ?? call.search });
}
