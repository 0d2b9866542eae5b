// Our own calls to one engine. Every call ends: with an answer, an error, its deadline or the caller's signal.
// The Docker client library dials and writes the request; answers are read here, because it never calls back
// when an answer is cut off. What the mirror reads all the time goes through a pool that costs less a call.
import type http from 'node:http';
import Docker from 'dockerode';
import { readWhole } from '../common/collect.ts';
import { ApiError } from '../common/errors.ts';
import { MalformedHttp } from './answer-parser.ts';
import { Deadline, DeadlineExceeded } from '../common/deadline.ts';
import type { EngineTls } from './engine-agent.ts';
import { ReadPool } from './read-pool.ts';
import type { RawRead, RawReads } from './read-pool.ts';
import { EngineUnreachable, unreachableKind } from './unreachable.ts';

export interface EngineCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version prefix, with percent-encoded segments. */
  readonly path: string;
  /** By default the newest one that both the engine and the manager speak; '' sends the path without a version. */
  readonly version?: string | undefined;
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** A Buffer is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Until the end of the answer; for a stream until its head. */
  readonly timeoutMs?: number | undefined;
}

export interface EngineRead {
  /** As in `EngineCall`. */
  readonly path: string;
  readonly version?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** By default in turn: behind the reads that were asked for before. */
  readonly urgency?: RawRead['urgency'];
}

/** Several GETs, asked behind one another without waiting. */
export interface EngineReads {
  /** As in `EngineCall`. */
  readonly paths: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** As in `RawReads`. */
  readonly patienceMs: RawReads['patienceMs'];
  /** Called in the order of `paths`. */
  readonly onAnswer: (answer: Omit<EngineAnswer, 'headers'>, index: number) => void;
}

export interface EngineAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Parsed JSON; the text where it is something else; undefined where it is empty. */
  readonly body: unknown;
}

interface ReadBody {
  readonly body: unknown;
  readonly swarm: string;
}

export interface EngineStream {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Must be read or closed. */
  readonly body: http.IncomingMessage;
  close(): void;
}

export interface EngineClientOptions {
  readonly host: string;
  readonly port: number;
  readonly agent: http.Agent;
  readonly tls?: EngineTls | undefined;
  /** For messages; asked at each failure because the name is learnt from the engine. */
  readonly name: () => string;
  /** Ends every call. */
  readonly signal: AbortSignal;
  readonly requestTimeoutMs: number;
  /** As of the pool of reads. */
  readonly space?: Buffer | undefined;
}

/** The part of the library that is used; its own types leave it open. */
interface Dialer {
  dial(options: DialOptions, callback: (error: Error | null, response: http.IncomingMessage | null) => void): void;
}

interface DialOptions {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly options: object | undefined;
  readonly file: Buffer | undefined;
  readonly isStream: true;
  readonly statusCodes: Readonly<Record<number, true>>;
  readonly abortSignal: AbortSignal;
}

const maxAnswerBytes = 64 * 1024 * 1024;

/** The library turns a status that is not listed into an error of its own; we read them all alike. */
const everyStatus: Readonly<Record<number, true>> = Object.fromEntries(
  Array.from({ length: 500 }, (_, index) => [100 + index, true]),
);

export class EngineClient {
  readonly #options: EngineClientOptions;
  readonly #dialer: Dialer;
  readonly #reads: ReadPool;
  #version: string | undefined;

  constructor(options: EngineClientOptions) {
    this.#options = options;
    this.#dialer = createDialer(options);
    this.#reads = new ReadPool(options);
  }

  /** The version of calls that name none; before it is known they go without a version. */
  useVersion(version: string): void {
    this.#version = version;
  }

  /**
   * The whole answer. Throws ApiError with the engine's status and message when the status is 400 or more, and
   * EngineUnreachable, a 503, when there is no complete answer. A GET whose connection breaks is tried once more,
   * because an idle connection of the pool may just have been closed by the engine.
   */
  async request(call: EngineCall): Promise<EngineAnswer> {
    try {
      return await this.#exchange(call);
    } catch (error) {
      const mayRepeat = call.method === 'GET' && error instanceof EngineUnreachable && error.kind === 'cut';
      if (!mayRepeat) throw error;
      return await this.#exchange(call);
    }
  }

  /**
   * The body of `request` of a GET, for what the mirror reads again and again; only a few reads run at a time. To be
   * used for answers that are small or soon there.
   */
  async read(read: EngineRead): Promise<unknown> {
    return (await this.#readAgainIfCut(read)).body;
  }

  /** What the engine tells of its part in swarm mode, '' where it tells nothing. Throws when it does not answer well. */
  async ping(signal: AbortSignal, timeoutMs: number): Promise<string> {
    return (await this.#readAgainIfCut({ path: '/_ping', signal, timeoutMs, urgency: 'at once' })).swarm;
  }

  /** Ends all reads. Calls and streams end with the signal of the options. */
  close(): void {
    this.#reads.destroy();
  }

  /** The head of an answer and its body as it arrives. Throws as `request` does. */
  async stream(call: EngineCall): Promise<EngineStream> {
    const deadline = this.#deadline(call);
    try {
      const body = await this.#dial(call, deadline.signal);
      body.once('close', () => {
        deadline.clear();
      });
      await this.#assertSuccess(body);
      deadline.stopClock();
      return { status: statusOf(body), headers: body.headers, body, close: () => body.destroy() };
    } catch (error) {
      deadline.clear();
      throw this.#explain(error, deadline.signal);
    }
  }

  /**
   * Resolves with how many of the reads were answered, whatever the status; fewer than all when something went wrong,
   * of which the single read of the next path tells. Rejects with the signal's reason.
   */
  async readInOrder({ paths, signal, patienceMs, onAnswer }: EngineReads): Promise<number> {
    return await this.#reads.getInOrder({
      paths: paths.map((path) => versionedPath(path, this.#version)),
      signal,
      patienceMs,
      onAnswer: ({ status, contentType, body }, index) => {
        onAnswer({ status, body: parseAnswer(body.toString('utf8'), contentType) }, index);
      },
    });
  }

  async #readAgainIfCut(read: EngineRead): Promise<ReadBody> {
    try {
      return await this.#readOnce(read);
    } catch (error) {
      if (!(error instanceof EngineUnreachable && error.kind === 'cut')) throw error;
      this.#reads.dropIdle();
      return await this.#readOnce(read);
    }
  }

  async #readOnce({ path, version, query, signal, timeoutMs, urgency = 'in turn' }: EngineRead): Promise<ReadBody> {
    const target = versionedPath(path, version ?? this.#version);
    const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    try {
      const answer = await this.#reads.get({ path: `${target}${search}`, signal, timeoutMs, urgency });
      const body = parseAnswer(answer.text, answer.contentType);
      if (answer.status >= 400) throw new ApiError(answer.status, messageOf(body, answer.status));
      return { body, swarm: answer.swarm };
    } catch (error) {
      if (error instanceof ApiError || error instanceof MalformedHttp) throw error;
      const isAborted = signal?.aborted === true && !(error instanceof DeadlineExceeded);
      const kind = isAborted || this.#options.signal.aborted ? 'aborted' : unreachableKind(error);
      throw new EngineUnreachable(this.#options.name(), kind, error);
    }
  }

  async #exchange(call: EngineCall): Promise<EngineAnswer> {
    const deadline = this.#deadline(call);
    try {
      const response = await this.#dial(call, deadline.signal);
      await this.#assertSuccess(response);
      const text = await readText(response);
      return {
        status: statusOf(response),
        headers: response.headers,
        body: parseAnswer(text, contentTypeOf(response)),
      };
    } catch (error) {
      throw this.#explain(error, deadline.signal);
    } finally {
      deadline.clear();
    }
  }

  #deadline(call: EngineCall): Deadline {
    const { signal, requestTimeoutMs } = this.#options;
    return new Deadline(
      call.timeoutMs ?? requestTimeoutMs,
      call.signal === undefined ? [signal] : [signal, call.signal],
    );
  }

  #dial(call: EngineCall, signal: AbortSignal): Promise<http.IncomingMessage> {
    signal.throwIfAborted();
    const options = toDialOptions(call, call.version ?? this.#version, signal);
    return new Promise((resolve, reject) => {
      this.#dialer.dial(options, (error, response) => {
        if (response === null) reject(error ?? new Error('the engine gave no response'));
        else resolve(response);
      });
    });
  }

  async #assertSuccess(response: http.IncomingMessage): Promise<void> {
    const status = statusOf(response);
    if (status < 400) return;
    throw new ApiError(status, messageOf(parseAnswer(await readText(response), contentTypeOf(response)), status));
  }

  #explain(error: unknown, signal: AbortSignal): unknown {
    if (error instanceof ApiError) return error;
    const kind = unreachableKind(error, signal);
    return new EngineUnreachable(this.#options.name(), kind, kind === 'timeout' ? signal.reason : error);
  }
}

function createDialer(options: EngineClientOptions): Dialer {
  const { host, port, agent, tls } = options;
  // Every option that the library would otherwise take from DOCKER_* variables of the environment is given.
  const docker = new Docker({
    host,
    port,
    protocol: tls === undefined ? 'http' : 'https',
    // The agent has those of the moment.
    ca: undefined,
    cert: undefined,
    key: undefined,
    agent,
    timeout: undefined,
  } as Docker.DockerOptions);
  return docker.modem as Dialer;
}

/** The library adds `_query` behind a "?" at the end of the path, and sends `file` as the body. */
function toDialOptions(call: EngineCall, version: string | undefined, abortSignal: AbortSignal): DialOptions {
  const path = versionedPath(call.path, version);
  const hasQuery = call.query !== undefined && Object.keys(call.query).length > 0;
  const body = toBytes(call.body);
  return {
    method: call.method,
    path: hasQuery ? `${path}?` : path,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...call.headers },
    options: hasQuery ? { _query: call.query, _body: {} } : undefined,
    file: body,
    isStream: true,
    statusCodes: everyStatus,
    abortSignal,
  };
}

function versionedPath(path: string, version: string | undefined): string {
  return version === undefined || version === '' ? path : `/v${version}${path}`;
}

function toBytes(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const tooLong = (): Error => new ApiError(500, `an engine's answer is longer than ${maxAnswerBytes} bytes`);
  return (await readWhole(response, { maxBytes: maxAnswerBytes, tooLong })).toString('utf8');
}

function contentTypeOf({ headers }: http.IncomingMessage): string {
  return headers['content-type'] ?? '';
}

function parseAnswer(text: string, contentType: string): unknown {
  if (text === '') return undefined;
  if (contentType !== '' && !contentType.includes('json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function messageOf(body: unknown, status: number): string {
  if (typeof body === 'string') return body.trim();
  if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string')
    return body.message;
  return `the engine answered ${status}`;
}

function statusOf(response: http.IncomingMessage): number {
  return response.statusCode ?? 0;
}
