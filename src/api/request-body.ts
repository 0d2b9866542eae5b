// Reads request bodies whose content the manager needs: JSON objects and form arguments. Bounded, and wrong
// input is refused in dockerd's words; streams (tar, stdin) never come through here.
import type { IncomingMessage } from 'node:http';
import { collect } from '../common/collect.ts';
import { ApiError, badRequest, errorMessage } from '../common/errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** More than any real container or network description needs. */
const maxBodyBytes = 8 * 1024 * 1024;
const maxDepth = 1000;
const maxSilenceMs = 60_000;

/** The body as a JSON object, an empty one where there is no body; ApiError 400 for anything else. */
export async function readJsonObject(req: IncomingMessage, read = readBody): Promise<JsonObject> {
  const value = (await readJson(req, read)) ?? {};
  if (isJsonObject(value)) return value;
  throw badRequest(`json: cannot unmarshal ${jsonKind(value)} into Go value of type object`);
}

/** The body as any JSON value, `undefined` when there is none. Throws ApiError 400 or 413. */
export async function readJson(req: IncomingMessage, read = readBody): Promise<unknown> {
  const bytes = await read(req);
  if (bytes.length === 0 && req.headers['content-type'] === undefined) return undefined;
  assertJsonType(req);
  if (bytes.length === 0) return undefined;
  const text = bytes.toString('utf8');
  if (text.trim() === '') throw badRequest('invalid JSON: got EOF while reading request body');
  return parseJson(text);
}

/** The body whole; ApiError 413 as soon as it is longer than any body of this API may be. A client that stops sending is cut off. */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > maxBodyBytes) throw tooLarge();
  // Without either header a request has no body, as a start has none.
  if (announced === 0 && req.headers['transfer-encoding'] === undefined) return Buffer.alloc(0);
  const silence = setTimeout(() => req.destroy(new ApiError(408, 'the request body is not complete')), maxSilenceMs);
  try {
    return await collect(req, { maxBytes: maxBodyBytes, tooLong: tooLarge, onProgress: () => silence.refresh() });
  } finally {
    clearTimeout(silence);
  }
}

/** Arguments that a POST carries in a form-encoded body instead of its URL; empty for every other request. */
export async function readFormArguments(req: IncomingMessage): Promise<URLSearchParams> {
  const hasForm = req.method === 'POST' && mediaType(req) === 'application/x-www-form-urlencoded';
  return new URLSearchParams(hasForm ? (await readBody(req)).toString('utf8') : '');
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function assertJsonType(req: IncomingMessage): void {
  if (mediaType(req) === 'application/json') return;
  const given = req.headers['content-type'] ?? '';
  throw badRequest(`unsupported Content-Type header (${given}): must be 'application/json'`);
}

function mediaType(req: IncomingMessage): string {
  return (req.headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase();
}

function parseJson(text: string): unknown {
  const { isTooDeep, isCut } = scan(text);
  if (isTooDeep) throw badRequest('invalid JSON: exceeded max depth');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`invalid JSON: ${isCut ? 'unexpected EOF' : errorMessage(error)}`, { cause: error });
  }
}

interface Scan {
  /** Values lie deeper in each other than in any real body: writing such a value again would exhaust the stack. */
  readonly isTooDeep: boolean;
  /** A value is open at the end. */
  readonly isCut: boolean;
}

function scan(text: string): Scan {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') isInString = !isInString;
    else if (isInString && char === '\\') at += 1;
    else if (!isInString && (char === '[' || char === '{')) depth += 1;
    else if (!isInString && (char === ']' || char === '}')) depth -= 1;
    if (depth > maxDepth) return { isTooDeep: true, isCut: false };
  }
  return { isTooDeep: false, isCut: depth > 0 || isInString };
}

function tooLarge(): ApiError {
  return new ApiError(413, `request body is larger than ${maxBodyBytes} bytes`);
}

function jsonKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
