// Tests that ask a simulated engine themselves, as a client would: engines and connections that are gone when the test
// is over.
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach } from 'mocha';
import { NdjsonParser } from '../../src/common/ndjson.ts';
import { isObject } from './simulated-engine/json.ts';
import type { JsonObject } from './simulated-engine/json.ts';
import { startSimulatedEngine } from './simulated-engine/simulated-engine.ts';
import type { SimulatedEngine, SimulatedEngineOptions } from './simulated-engine/simulated-engine.ts';

const engines: SimulatedEngine[] = [];
const clients: Socket[] = [];

/** To be called in the suite that uses `anEngine` or `connectTo`. */
export function stopsItsEngines(): void {
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as an object; {} when it is none. */
  readonly json: JsonObject;
  /** The body's objects; [] when it is no list. */
  readonly list: readonly JsonObject[];
}

export interface Asked {
  readonly body?: JsonObject;
  readonly text?: string;
  readonly bytes?: Buffer;
  readonly headers?: OutgoingHttpHeaders;
}

export async function anEngine(options: Partial<SimulatedEngineOptions>): Promise<SimulatedEngine> {
  const engine = await startSimulatedEngine({ name: 'node-1', ...options });
  engines.push(engine);
  return engine;
}

export function create(engine: SimulatedEngine, name: string, body: JsonObject): Promise<Answer> {
  return ask(engine, 'POST', `/containers/create?name=${encodeURIComponent(name)}`, { body });
}

export async function ask(engine: SimulatedEngine, method: string, path: string, asked: Asked = {}): Promise<Answer> {
  const response = await open(engine, method, path, asked);
  const bytes = await bytesOf(response);
  const text = bytes.toString('utf8');
  const value = parsed(text);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    bytes,
    text,
    json: isObject(value) ? value : {},
    list: Array.isArray(value) ? value.filter(isObject) : [],
  };
}

/** Resolves when the head of the answer has come. */
export async function open(
  engine: SimulatedEngine,
  method: string,
  path: string,
  { body, text, bytes, headers = {} }: Asked = {},
): Promise<IncomingMessage> {
  const content = bytes ?? text ?? (body ? JSON.stringify(body) : '');
  const typed = body ? { 'Content-Type': 'application/json', ...headers } : headers;
  const framed = headers['Transfer-Encoding'] ? typed : { 'Content-Length': Buffer.byteLength(content), ...typed };
  return new Promise((resolve, reject) => {
    const url = new URL(`http://${engine.address}`);
    httpRequest({ host: url.hostname, port: url.port, method, path: escapeJson(path), headers: framed, agent: false })
      .once('response', resolve)
      .once('error', reject)
      .end(content);
  });
}

/** Paths in these tests hold bare JSON; what they escape themselves stays escaped. */
function escapeJson(path: string): string {
  return path.replace(/[{}"[\]]/g, encodeURIComponent);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function connectTo(engine: SimulatedEngine): Promise<Socket> {
  const client = connect({ port: engine.port, host: '127.0.0.1', allowHalfOpen: true });
  clients.push(client);
  await once(client, 'connect');
  return client;
}

export interface SeenEvents {
  readonly seen: readonly JsonObject[];
  hasEnded(): boolean;
}

/** What the engine tells from now on, event by event. */
export async function eventsOf(engine: SimulatedEngine, query: string): Promise<SeenEvents> {
  const response = await open(engine, 'GET', `/events${query}`);
  const parser = new NdjsonParser();
  const seen: JsonObject[] = [];
  response.on('data', (chunk: Buffer) => seen.push(...parser.push(chunk).filter(isObject)));
  response.on('error', () => undefined);
  return { seen, hasEnded: () => response.readableEnded };
}
