// Calls on a manager that is not the primary go to the one that is, with their streams. While there is none they are
// held. What was sent to a primary that was lost before it answered is sent again only where that does no harm; a
// primary acts only on what was sent to it in its own term.
import http from 'node:http';
import { orAborted } from '../common/abort.ts';
import { ApiError, errorMessage } from '../common/errors.ts';
import type { TaskSet } from '../common/lifecycle.ts';
import { createEngineAgent, type EngineTls } from '../engine/engine-agent.ts';
import { splitAddress } from '../engine/engine-identity.ts';
import { Deadline } from '../common/deadline.ts';
import { isChange } from '../engine/write-permit.ts';
import { exchange } from '../proxy/exchange.ts';
import { forward } from '../proxy/forward.ts';
import { hijack, type TakenConnection } from '../proxy/hijack.ts';
import { OneConnection } from '../proxy/one-connection.ts';
import { headerValue, type HeaderChanges, type RawHeaders, type ResponseHead } from '../proxy/raw-head.ts';
import { connect, type Upstream } from '../proxy/upstream.ts';
import type { ForeignPrimary, Primacy } from './primacy.ts';
import { PrimaryReach } from './primary-reach.ts';
import { readBody } from './request-body.ts';

export interface ReplicaOptions {
  readonly primacy: Primacy;
  /** How this manager speaks to the primary; absent: plain TCP. */
  readonly tls?: EngineTls | undefined;
  /** How long a call waits for a primary; 15 s by default. */
  readonly holdMs?: number;
  /** How often a primary is asked whether it is there, while calls wait for it; 1 s by default. */
  readonly lookEveryMs?: number;
  readonly tasks: TaskSet;
  /** Resolves when this manager knows what its predecessor has done; called when it becomes the primary. */
  readonly catchUp: () => Promise<void>;
}

/** A call of another manager: the term of the primary that it is meant for. */
const termHeader = 'X-Shoal-Term';
/** The answer of who is not that primary, and has done nothing. */
const refusedHeader = 'X-Shoal-Not-Primary';

const defaultHoldMs = 15_000;
/** Until a primary that refuses connections is tried again. */
const retryMs = 100;
const defaultLookEveryMs = 1_000;
/** A primary that is busy answers late, in times of the above. */
const answerWithinLooks = 4;
/** Who is not the primary any more will not be it again; this manager hears of the next one. */
const refusedMs = 2_000;
/** More of a body is not kept for another attempt. */
const mostKeptBytes = 1024 * 1024;

export class Replica {
  readonly #primacy: Primacy;
  readonly #tls: EngineTls | undefined;
  readonly #holdMs: number;
  /** Since when there has been no primary; undefined while there is one. */
  #orphanedSinceMs: number | undefined;
  /** Since when no call has reached the primary that there is; undefined when the last one has. */
  #unreachedSinceMs: number | undefined;
  readonly #reach: PrimaryReach;
  readonly #answerWithinMs: number;
  readonly #unsubscribe: () => void;
  #isPrimary = false;
  /** Ends when this manager may answer as the primary. */
  #caughtUp = Promise.resolve();
  /** For what may be sent twice. */
  #pool: { readonly address: string; readonly agent: http.Agent } | undefined;

  constructor({
    primacy,
    tls,
    tasks,
    catchUp,
    holdMs = defaultHoldMs,
    lookEveryMs = defaultLookEveryMs,
  }: ReplicaOptions) {
    this.#primacy = primacy;
    this.#tls = tls;
    this.#holdMs = holdMs;
    this.#answerWithinMs = answerWithinLooks * lookEveryMs;
    this.#reach = new PrimaryReach({
      ask: (primary, signal) => this.#greet(primary, signal),
      tasks,
      everyMs: lookEveryMs,
    });
    this.#unsubscribe = primacy.subscribe(() => {
      const isLed = primacy.isPrimary() || primacy.primary() !== undefined;
      this.#orphanedSinceMs = isLed ? undefined : (this.#orphanedSinceMs ?? performance.now());
      this.#unreachedSinceMs = undefined;
      if (primacy.isPrimary() && !this.#isPrimary) this.#caughtUp = catchUp();
      this.#isPrimary = primacy.isPrimary();
    });
  }

  /** Undefined when the call was answered; else the request to be served here, which is another one when its body was read. */
  async pass(
    req: http.IncomingMessage,
    res: http.ServerResponse,
    { headers, signal }: Passing,
  ): Promise<http.IncomingMessage | undefined> {
    const isRead = !isChange(req.method);
    const patience = new Patience(this.#holdFor(isRead ? this.#orphanedSinceMs : undefined));
    let body: Buffer | undefined;
    for (;;) {
      const primary = await this.#whoServes(patience, signal).catch((error: unknown) => {
        // What this manager knows by itself is as true, and nothing is changed by it.
        if (isRead && !signal.aborted && (error instanceof NoPrimary || patience.isOver)) return undefined;
        throw error;
      });
      if (primary === undefined) return body === undefined ? req : replayed(req, body);
      const isKept = body !== undefined || mayKeep(req);
      if (isKept) body ??= await readBody(req);
      try {
        await this.#send({ req, res, body, headers, primary, patience, signal });
        return undefined;
      } catch (error) {
        if (!(error instanceof NotServed)) throw error;
        if (!isKept && !error.isUntouched) throw error.answer;
        if (isRead && patience.isOver) return req;
        patience.failed(error.answer, error);
      }
    }
  }

  /** As `pass`, for a connection that was taken from the server; true when this manager is to serve it. */
  async passTaken(taken: TakenConnection, { headers: added, signal, onHead }: Passing): Promise<boolean> {
    const patience = new Patience(this.#holdFor(undefined));
    for (let { head } = taken; ; head = Buffer.alloc(0)) {
      const primary = await this.#whoServes(patience, signal);
      if (primary === undefined) return true;
      const upstream = this.#upstream(primary);
      const headers = { ...added, [termHeader]: String(primary.term) };
      const deadline = new Deadline(patience.leftMs, [signal, primary.lost]);
      try {
        // What was read of a raw stream cannot be given back, so the primary is asked first whether it is one.
        assertServed(await exchange(upstream, { method: 'GET', path: '/_ping', headers, signal: deadline.signal }));
        deadline.stopClock();
      } catch (error) {
        deadline.clear();
        if (signal.aborted) throw error;
        if (error instanceof NotServed) patience.failed(error.answer, error);
        else patience.failed(unreachable(primary, error));
        continue;
      }
      try {
        const options = { path: taken.req.url ?? '', headers, signal: deadline.signal, ...(onHead && { onHead }) };
        await hijack({ ...taken, head }, upstream, options);
        return false;
      } catch (error) {
        throw signal.aborted ? error : perhapsDone(primary, error);
      } finally {
        deadline.clear();
      }
    }
  }

  stop(): void {
    this.#unsubscribe();
    this.#pool?.agent.destroy();
  }

  /** Throws when the call was meant for a primary that this manager is not. */
  assertMeant({ rawHeaders }: http.IncomingMessage): void {
    const meant = headerValue(rawHeaders, termHeader);
    if (meant === undefined || (this.#primacy.isPrimary() && meant === String(this.#primacy.term()))) return;
    throw new NotPrimary();
  }

  /** Of a long time without a primary, as without the store, or with one out of reach, not every call is to wait for the end. */
  #holdFor(orphanedSinceMs: number | undefined): number {
    const nowMs = performance.now();
    const sinceMs = Math.min(orphanedSinceMs ?? nowMs, this.#unreachedSinceMs ?? nowMs);
    return Math.max(1, this.#holdMs - (nowMs - sinceMs));
  }

  async #greet(primary: ForeignPrimary, signal: AbortSignal): Promise<void> {
    const deadline = new Deadline(this.#answerWithinMs, [signal]);
    const askedMs = performance.now();
    try {
      const upstream = await this.#connected(primary, deadline.signal);
      await exchange(upstream, { method: 'GET', path: '/_ping', headers: {}, signal: deadline.signal });
    } catch (error) {
      this.#unreachedSinceMs ??= askedMs;
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** The primary, undefined when it is this manager. Waits for one. */
  async #whoServes(patience: Patience, signal: AbortSignal): Promise<ForeignPrimary | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#primacy.isPrimary()) {
        await orAborted(this.#caughtUp, signal);
        return undefined;
      }
      const primary = this.#primacy.primary();
      if (primary !== undefined && patience.mayTry()) return primary;
      await this.#changed(patience, patience.pauseMs(primary), signal);
    }
  }

  /** Resolves after a change, or after `withinMs`. */
  async #changed(patience: Patience, withinMs: number, signal: AbortSignal): Promise<void> {
    const deadline = new Deadline(withinMs, [signal]);
    await new Promise<void>((resolve) => {
      const unsubscribe = this.#primacy.subscribe(() => {
        patience.tryAtOnce();
        finish();
      });
      const finish = (): void => {
        unsubscribe();
        deadline.signal.removeEventListener('abort', finish);
        resolve();
      };
      deadline.signal.addEventListener('abort', finish, { once: true });
      if (deadline.signal.aborted) finish();
    });
    deadline.clear();
  }

  /** Throws NotServed when the call may be sent again, any other error when it may not or is nobody's business any more. */
  async #send({ req, res, body, headers, primary, patience, signal }: Sending): Promise<void> {
    const isRepeatable = !isChange(req.method);
    const reach = this.#reach.follow(primary);
    const deadline = new Deadline(patience.leftMs, [signal, primary.lost, reach.signal]);
    const askedMs = performance.now();
    try {
      // On an idle connection only what may be repeated, and only once: it may be dead.
      const isPooled = isRepeatable && !patience.isTried;
      const upstream = isPooled
        ? this.#upstream(primary)
        : await this.#connected(primary, deadline.signal).catch((error: unknown) => {
            if (!signal.aborted) this.#unreachedSinceMs ??= askedMs;
            throw signal.aborted ? error : new NotServed(unreachable(primary, error), { isUntouched: true });
          });
      deadline.stopClock();
      const { outcome } = await forward(req, res, upstream, {
        path: req.url ?? '',
        headers: { ...headers, [termHeader]: String(primary.term) },
        ...(body !== undefined && isChange(req.method) ? { body } : {}),
        signal: deadline.signal,
        onHead: assertServed,
      });
      if (outcome === 'complete') this.#unreachedSinceMs = undefined;
    } catch (error) {
      if (error instanceof NotServed || signal.aborted) throw error;
      if (!isRepeatable) throw perhapsDone(primary, error);
      this.#unreachedSinceMs ??= askedMs;
      throw new NotServed(unreachable(primary, error), { isUntouched: true, isNewStart: primary.lost.aborted });
    } finally {
      deadline.clear();
      reach.end();
    }
  }

  async #connected(primary: ForeignPrimary, signal: AbortSignal): Promise<Upstream> {
    const { name, host, port, ...rest } = this.#upstream(primary);
    const socket = await connect({ name, host, port, ...rest }, signal);
    // The handshake is over: what is sent on this connection is encrypted by itself.
    return { name, host, port, agent: new OneConnection(socket) };
  }

  #upstream({ address }: ForeignPrimary): Upstream {
    const { host, port } = splitAddress(address);
    if (this.#pool?.address !== address) {
      this.#pool?.agent.destroy();
      this.#pool = { address, agent: createEngineAgent(this.#tls, () => undefined) };
    }
    const target = { name: address, host, port, agent: this.#pool.agent };
    return this.#tls === undefined ? target : { ...target, tls: this.#tls };
  }
}

export interface Passing {
  /** In place of those that the client has sent by these names. */
  readonly headers: HeaderChanges;
  readonly signal: AbortSignal;
  /** Of a connection that was taken. */
  readonly onHead?: (head: ResponseHead) => ResponseHead;
}

interface Sending extends Omit<Passing, 'onHead'> {
  readonly req: http.IncomingMessage;
  readonly res: http.ServerResponse;
  /** Undefined: it is a stream, or there is none. */
  readonly body: Buffer | undefined;
  readonly primary: ForeignPrimary;
  readonly patience: Patience;
}

/** The answer to a manager that takes this one for the primary. */
class NotPrimary extends ApiError {
  constructor() {
    super(503, 'this manager is not the primary of that term');
  }
}

class NoPrimary extends ApiError {
  constructor() {
    super(503, 'there is no primary manager just now: try again');
  }
}

/** The headers of the answer to `error` beside the usual ones. */
export function replicaHeaders(error: unknown): Readonly<Record<string, string>> {
  return error instanceof NotPrimary ? { [refusedHeader]: '1' } : {};
}

interface Failure {
  /** Nothing of the body was read. */
  readonly isUntouched?: boolean;
  /** The time that the last primary took to be lost does not count. */
  readonly isNewStart?: boolean;
  /** Until the next attempt, unless something changes. */
  readonly pauseMs?: number;
}

/** Nobody has acted on the call. */
class NotServed extends Error implements Failure {
  /** What the client gets when there is no other attempt. */
  readonly answer: ApiError;
  readonly isUntouched: boolean;
  readonly isNewStart: boolean;
  readonly pauseMs: number;

  constructor(answer: ApiError, { isUntouched = false, isNewStart = false, pauseMs = retryMs }: Failure) {
    super(answer.message);
    this.answer = answer;
    this.isUntouched = isUntouched;
    this.isNewStart = isNewStart;
    this.pauseMs = pauseMs;
  }
}

/** For how long a call is held, and when it is tried again. */
class Patience {
  readonly #holdMs: number;
  #untilMs: number;
  #notBeforeMs = -Infinity;
  #lastFailure: ApiError | undefined;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
    this.#untilMs = performance.now() + holdMs;
  }

  get leftMs(): number {
    return Math.max(1, this.#untilMs - performance.now());
  }

  get isOver(): boolean {
    return performance.now() >= this.#untilMs;
  }

  /** Whether an attempt has failed. */
  get isTried(): boolean {
    return this.#lastFailure !== undefined;
  }

  mayTry(): boolean {
    return performance.now() >= this.#notBeforeMs;
  }

  tryAtOnce(): void {
    this.#notBeforeMs = -Infinity;
  }

  /** How long to wait until the next look. Throws when there is no time left. */
  pauseMs(primary: ForeignPrimary | undefined): number {
    if (performance.now() >= this.#untilMs) throw (primary && this.#lastFailure) ?? new NoPrimary();
    const pauseMs = primary === undefined ? this.leftMs : this.#notBeforeMs - performance.now();
    return Math.max(1, Math.min(pauseMs, this.leftMs));
  }

  /** Throws `failure` when there is no time left. */
  failed(failure: ApiError, { isNewStart = false, pauseMs = retryMs }: Failure = {}): void {
    const nowMs = performance.now();
    if (isNewStart) this.#untilMs = nowMs + this.#holdMs;
    if (nowMs >= this.#untilMs) throw failure;
    this.#lastFailure = failure;
    this.#notBeforeMs = nowMs + pauseMs;
  }
}

function assertServed<T extends { readonly rawHeaders: RawHeaders }>(answer: T): T {
  if (headerValue(answer.rawHeaders, refusedHeader) === undefined) return answer;
  throw new NotServed(new NoPrimary(), { pauseMs: refusedMs });
}

/** Bodies that are small or that this API bounds; a tar archive may be of any size. */
function mayKeep({ method, headers }: http.IncomingMessage): boolean {
  if (!isChange(method)) return true;
  if (headers['transfer-encoding'] !== undefined)
    return headers['content-type']?.startsWith('application/json') === true;
  return Number(headers['content-length'] ?? 0) <= mostKeptBytes;
}

/** The request again, with the body that was read from it. */
function replayed(req: http.IncomingMessage, body: Buffer): http.IncomingMessage {
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = req;
  const again = new http.IncomingMessage(req.socket);
  again.push(body);
  again.push(null);
  return Object.assign(again, {
    ...{ method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor },
    complete: true,
  });
}

function unreachable({ address }: ForeignPrimary, error: unknown): ApiError {
  return new ApiError(503, `the primary manager ${address} does not answer: ${reasonOf(error)}`, { cause: error });
}

/** Without the words of the proxy, which takes whatever it reaches for an engine. */
function reasonOf(error: unknown): string {
  return errorMessage(error instanceof ApiError && error.cause !== undefined ? error.cause : error);
}

function perhapsDone({ address }: ForeignPrimary, error: unknown): ApiError {
  return new ApiError(
    503,
    `the primary manager ${address} was lost before it answered, so the call may have been carried out: ${reasonOf(error)}`,
    { cause: error },
  );
}
