// One request and its answer. All output passes through here: it waits while the engine is frozen, and a muted
// call does its work and then loses its connection in place of answering.
import { createHash } from 'node:crypto';
import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { badRequest } from '../../../src/common/errors.ts';
import { releaseOf } from './api-version.ts';
import type { EngineState } from './engine-state.ts';
import { isObject } from './json.ts';
import type { JsonObject } from './json.ts';
import { readUpgradeBody } from './upgrade-body.ts';

/** A request as it was received, for assertions. */
export interface ReceivedRequest {
  readonly method: string;
  /** As received, with version prefix and query. */
  readonly url: string;
  /** Decoded, without version prefix and query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  /** Of the body as far as it was read. */
  bodyBytes: number;
  /** Hexadecimal, of the whole body once it was read. */
  bodySha256?: string;
}

export interface CallFacts {
  readonly state: EngineState;
  readonly request: IncomingMessage;
  /** Absent for an upgrade request, whose connection Node hands over as it is. */
  readonly response?: ServerResponse;
  /** The bytes that Node read beyond the head of an upgrade request. */
  readonly upgradeHead?: Buffer;
  readonly received: ReceivedRequest;
  /** API version of the request's prefix; the engine's own when it has none. */
  readonly version: string;
}

/** A body longer than this is read and hashed but not kept. */
const keptBodyBytes = 32 * 1024 * 1024;
/** A client that leaves this much unread is cut off. */
const unreadBytes = 16 * 1024 * 1024;

export class Call {
  readonly state: EngineState;
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly received: ReceivedRequest;
  readonly version: string;
  readonly query: URLSearchParams;
  readonly #upgradeHead: Buffer | undefined;
  readonly #response: ServerResponse;
  #gone: AbortController | undefined;
  #isOver = false;
  #isMuted = false;
  #bodyIsRead = false;

  constructor({ state, request, response, upgradeHead, received, version }: CallFacts) {
    this.state = state;
    this.request = request;
    this.socket = request.socket;
    this.received = received;
    this.version = version;
    this.query = received.query;
    this.#upgradeHead = upgradeHead;
    this.#response = response ?? responseForUpgrade(request);
    this.#response.once('close', () => {
      this.#end();
    });
  }

  /** Aborts when the answer is complete or the client has gone. */
  get gone(): AbortSignal {
    // Made for those who ask: few calls last longer than their work.
    this.#gone ??= new AbortController();
    if (this.#isOver) this.#gone.abort();
    return this.#gone.signal;
  }

  /** The answer is complete or the client has gone. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on nothing is sent; where the answer would end, the connection is destroyed. */
  mute(): void {
    this.#isMuted = true;
  }

  json(status: number, value: unknown): void {
    this.jsonText(status, `${JSON.stringify(value)}\n`);
  }

  jsonText(status: number, text: string): void {
    this.bytes(status, 'application/json', Buffer.from(text));
  }

  bytes(status: number, contentType: string, body: Buffer, headers: Readonly<Record<string, string>> = {}): void {
    this.#head(status, { 'Content-Type': contentType, 'Content-Length': String(body.length), ...headers });
    this.end(body);
  }

  empty(status: number, headers: Readonly<Record<string, string>> = {}): void {
    const mayHaveBody = status !== 204 && status !== 304;
    this.#head(status, mayHaveBody ? { 'Content-Length': '0', ...headers } : headers);
    this.end();
  }

  /** Status 200 and the headers leave at once. */
  open(contentType: string): void {
    this.#head(200, { 'Content-Type': contentType });
    this.state.gate.run(() => {
      if (!this.#isMuted) this.#response.flushHeaders();
    });
  }

  write(chunk: string | Buffer): void {
    this.state.gate.run(() => {
      if (this.#isMuted || this.#response.destroyed || this.#response.writableEnded) return;
      this.#response.write(chunk);
      if (this.#response.writableLength > unreadBytes) this.socket.destroy();
    });
  }

  end(chunk?: Buffer): void {
    this.state.gate.run(() => {
      if (this.#isMuted) this.socket.destroy();
      else this.#response.end(chunk);
    });
  }

  get hasAnswered(): boolean {
    return this.#response.headersSent;
  }

  /** Reads the body as JSON; an empty one is {}. */
  async readJson(): Promise<JsonObject> {
    return (await this.readJsonText()).body;
  }

  async readJsonText(): Promise<{ readonly body: JsonObject; readonly bodyText: string }> {
    const bodyText = (await this.readBody()).toString('utf8');
    if (bodyText === '') return { body: {}, bodyText };
    const contentType = this.request.headers['content-type'] ?? '';
    if (!contentType.startsWith('application/json')) {
      throw badRequest(`Content-Type specified (${contentType}) must be 'application/json'`);
    }
    return { body: parseObject(bodyText), bodyText };
  }

  /** The body's first 32 MiB; what is longer is read to its end all the same. */
  async readBody(): Promise<Buffer> {
    if (this.#bodyIsRead) return Buffer.alloc(0);
    this.#bodyIsRead = true;
    const hash = createHash('sha256');
    const kept: Buffer[] = [];
    for await (const chunk of this.#bodyChunks()) {
      hash.update(chunk);
      if (this.received.bodyBytes < keptBodyBytes) kept.push(chunk);
      this.received.bodyBytes += chunk.length;
    }
    this.received.bodySha256 = hash.digest('hex');
    return Buffer.concat(kept);
  }

  /** Rejects when the client goes meanwhile. */
  async sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.gone });
  }

  /**
   * Takes the connection from HTTP: writes the 101 head (or 200 when the client asked for no upgrade) and returns
   * the bare connection, paused. The body must have been read before. Undefined when the call is muted.
   */
  hijack(head: {
    readonly contentType?: string;
    readonly protocol: string;
    readonly withEngineHeaders: boolean;
  }): Socket | undefined {
    if (this.#isMuted) {
      this.socket.destroy();
      return undefined;
    }
    const isUpgrade = this.request.headers.upgrade !== undefined;
    if (this.#upgradeHead === undefined) detachHttp(this.socket);
    this.#response.detachSocket(this.socket);
    this.socket.once('close', () => {
      this.#end();
    });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.setNoDelay(true);
    const lines = [
      isUpgrade ? `HTTP/1.1 101 ${head.protocol === 'tcp' ? 'UPGRADED' : 'Switching Protocols'}` : 'HTTP/1.1 200 OK',
      ...(head.contentType === undefined ? [] : [`Content-Type: ${head.contentType}`]),
      ...(isUpgrade ? ['Connection: Upgrade', `Upgrade: ${head.protocol}`] : []),
      ...(head.withEngineHeaders
        ? Object.entries(this.#engineHeaders()).map(([name, value]) => `${name}: ${value}`)
        : []),
    ];
    this.state.gate.run(() => this.socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    return this.socket;
  }

  #end(): void {
    this.#isOver = true;
    this.#gone?.abort();
  }

  #bodyChunks(): AsyncIterable<Buffer> {
    if (this.#upgradeHead === undefined) return this.request;
    return onlyChunk(readUpgradeBody(this.request, this.socket, this.#upgradeHead));
  }

  #head(status: number, headers: Readonly<Record<string, string>>): void {
    this.state.gate.run(() => {
      if (!this.#isMuted) this.#response.writeHead(status, { ...this.#engineHeaders(), ...headers });
    });
  }

  #engineHeaders(): Readonly<Record<string, string>> {
    const { apiVersion } = this.state.settings;
    return {
      Server: `Docker/${releaseOf(apiVersion)} (linux)`,
      'Api-Version': apiVersion,
      Ostype: 'linux',
      'Docker-Experimental': 'false',
    };
  }
}

async function* onlyChunk(chunk: Promise<Buffer>): AsyncGenerator<Buffer> {
  yield await chunk;
}

function responseForUpgrade(request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  response.once('finish', () => request.socket.end());
  return response;
}

/** Listening for data makes Node give the bytes to listeners again, in place of its native parser. */
function detachHttp(socket: Socket): void {
  socket.on('data', () => undefined);
  // Not before: a pause under the native parser stops the handle itself, and no resume starts it again.
  socket.pause();
  for (const event of ['data', 'end', 'drain', 'error', 'timeout']) socket.removeAllListeners(event);
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest('invalid JSON: the request body cannot be read', { cause: error });
  }
  if (!isObject(value)) throw badRequest('invalid JSON: an object is expected');
  return value;
}
