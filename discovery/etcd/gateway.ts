// One etcd server through the JSON gateway of its own API v3: a call for each request, a line of JSON for each message of
// a watch. Every request has a deadline and ends when its caller gives up.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { readWhole } from '../../src/common/collect.ts';
import { Deadline } from '../../src/common/deadline.ts';
import { ApiError } from '../../src/common/errors.ts';
import { NdjsonParser } from '../../src/common/ndjson.ts';
import { readCredentials, type CredentialSource } from '../credentials.ts';
import { formatHostPort, type HostPort } from '../entry.ts';
import { jsonMember } from '../json-member.ts';
import { readTlsFiles, type TlsFiles, type TlsMaterial } from '../tls-files.ts';

export interface EtcdConnection {
  /** Asked in turn: the next one when one does not answer. */
  readonly servers: readonly [HostPort, ...HostPort[]];
  readonly credentials: CredentialSource;
  readonly tls?: TlsFiles;
}

interface EtcdServerOptions {
  readonly address: HostPort;
  /** Undefined for plain connections. */
  readonly tls: TlsMaterial | undefined;
  readonly credentials: CredentialSource;
}

export interface EtcdCall {
  /** Below `/v3/`. */
  readonly path: string;
  readonly body: object;
}

const requestTimeoutMs = 5_000;
const maxAnswerBytes = 64 * 1024 * 1024;

/** A way to each server. Throws a 400 of one line when a certificate file cannot be read. */
export function connectEtcd({
  servers,
  tls: files,
  credentials,
}: EtcdConnection): readonly [EtcdServer, ...EtcdServer[]] {
  const tls = readTlsFiles(files ?? {});
  const connect = (address: HostPort): EtcdServer => new EtcdServer({ address, tls, credentials });
  const [first, ...others] = servers;
  return [connect(first), ...others.map(connect)];
}

export class EtcdServer {
  /** `host:port`, for messages. */
  readonly name: string;
  readonly #options: EtcdServerOptions;
  readonly #agent: HttpAgent;
  #token: string | undefined;

  constructor(options: EtcdServerOptions) {
    this.#options = options;
    this.name = formatHostPort(options.address);
    this.#agent = options.tls
      ? new HttpsAgent({ keepAlive: true, ...options.tls })
      : new HttpAgent({ keepAlive: true });
  }

  /** The answer's body. Rejects with an ApiError of etcd's status when it refuses, and when `signal` aborts. */
  async call(call: EtcdCall, signal: AbortSignal): Promise<unknown> {
    const deadline = new Deadline(requestTimeoutMs, [signal]);
    try {
      return parseBody(await readText(await this.#openAuthorized(call, deadline.signal)));
    } finally {
      deadline.clear();
    }
  }

  /** The messages of a call that answers for as long as `signal` lets it. */
  async *stream(call: EtcdCall, signal: AbortSignal): AsyncGenerator {
    const res = await this.#openAuthorized(call, signal);
    const parser = new NdjsonParser();
    for await (const chunk of res) yield* parser.push(bufferOf(chunk));
  }

  /** A token may have been forgotten by the server at any time, so a refusal of an old one says nothing. */
  async #openAuthorized(call: EtcdCall, signal: AbortSignal): Promise<IncomingMessage> {
    const oldToken = this.#token;
    const res = await this.#open(call, oldToken ?? (await this.#authenticate(signal)), signal);
    if (isSuccess(res)) return res;
    const refusal = await refusalOf(res);
    const isRefusedToken = oldToken !== undefined && (refusal.status === 400 || refusal.status === 401);
    if (!isRefusedToken) throw refusal;
    const again = await this.#open(call, await this.#authenticate(signal), signal);
    if (isSuccess(again)) return again;
    throw await refusalOf(again);
  }

  async #authenticate(signal: AbortSignal): Promise<string | undefined> {
    this.#token = undefined;
    const credentials = await readCredentials(this.#options.credentials);
    if (!credentials) return undefined;
    const { user: name, password } = credentials;
    const res = await this.#open({ path: 'auth/authenticate', body: { name, password } }, undefined, signal);
    if (!isSuccess(res)) throw await refusalOf(res);
    const token = jsonMember(parseBody(await readText(res)), 'token');
    this.#token = typeof token === 'string' ? token : undefined;
    return this.#token;
  }

  #open({ path, body }: EtcdCall, token: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const text = JSON.stringify(body);
      const req = this.#request(`/v3/${path}`, signal);
      if (token !== undefined) req.setHeader('Authorization', token);
      req.setHeader('Content-Type', 'application/json');
      req.setHeader('Content-Length', Buffer.byteLength(text));
      req.on('error', reject);
      req.on('response', resolve);
      req.end(text);
    });
  }

  #request(path: string, signal: AbortSignal): ClientRequest {
    const { host, port } = this.#options.address;
    const options = { host, port, method: 'POST', path, agent: this.#agent, signal };
    return this.#options.tls ? httpsRequest(options) : httpRequest(options);
  }
}

/** True of a plain refusal (a wrong password), which every server would give. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500;
}

function isSuccess({ statusCode }: IncomingMessage): boolean {
  return statusCode === 200;
}

async function refusalOf(res: IncomingMessage): Promise<ApiError> {
  const status = res.statusCode ?? 500;
  const text = await readText(res);
  return new ApiError(status, `etcd answered ${status}: ${text.trim().slice(0, 200)}`);
}

async function readText(res: IncomingMessage): Promise<string> {
  const tooLong = (): Error => new Error('the answer of etcd is too long');
  return (await readWhole(res, { maxBytes: maxAnswerBytes, tooLong })).toString('utf8');
}

function bufferOf(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

function parseBody(text: string): unknown {
  const body: unknown = JSON.parse(text);
  return body;
}
