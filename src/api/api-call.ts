// One request as a handler sees it: who asks, for what, at which API version, and the ways to answer.
// A handler answers exactly once: with `send`, `sendText`, `sendEmpty`, or by taking over `res`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cluster } from '../cluster/cluster.ts';
import type { Logger } from '../common/logger.ts';
import { sendEmpty, sendJson, sendText } from './answer.ts';
import type { CallTrace } from './audit.ts';
import { readBody, readFormArguments, readJson, readJsonObject } from './request-body.ts';
import type { JsonObject } from './request-body.ts';
import type { ApiSettings } from './settings.ts';

/** The part of a call that exists for ordinary requests and for upgrades alike. */
export interface RequestCall {
  readonly req: IncomingMessage;
  readonly cluster: Cluster;
  readonly settings: ApiSettings;
  readonly logger: Logger;
  /** The API version the client asked for, within the advertised window: "1.41". */
  readonly version: string;
  /** Percent-decoded, without the version: "/containers/web/json". */
  readonly path: string;
  /** The query string without "?", verbatim unless a form added to it; what is forwarded when a target says nothing else. */
  readonly search: string;
  /** The variables of the route's pattern, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Arguments of the URL, and those of a form-encoded body. */
  readonly query: URLSearchParams;
  /** Aborts when the client is gone or the server stops. */
  readonly signal: AbortSignal;
  /** To be told what the call turns out to be about. */
  readonly trace: CallTrace;
}

export interface ApiCall extends RequestCall {
  readonly res: ServerResponse;
  /** The body as it came; read once, however often it is asked for. Throws ApiError 413 when too large. */
  body(): Promise<Buffer>;
  /** The body as a JSON object. Throws ApiError 400 in dockerd's words for a wrong Content-Type, bad JSON or no object; 413 when too large. */
  json(): Promise<JsonObject>;
  /** The body as any JSON value, `undefined` when there is none. Throws as `json` does. */
  jsonValue(): Promise<unknown>;
  /** Answers with JSON. A Buffer is taken as ready JSON text. */
  send(status: number, body: unknown): void;
  /** Answers with plain text. */
  sendText(status: number, text: string): void;
  /** Answers without a body: 204, 304, or a bare 200 or 201. */
  sendEmpty(status: number): void;
}

/** A call over Node's request and response; a form-encoded body, if there is one, is read into `query`. */
export async function openCall(request: Omit<RequestCall, 'query'>, res: ServerResponse): Promise<ApiCall> {
  const { req } = request;
  const query = new URLSearchParams(request.search);
  const form = await readFormArguments(req);
  for (const [name, value] of form) query.append(name, value);
  let bytes: Promise<Buffer> | undefined;
  const body = (): Promise<Buffer> => (bytes ??= readBody(req));
  return {
    ...request,
    search: form.size === 0 ? request.search : query.toString(),
    query,
    res,
    body,
    json: () => readJsonObject(req, body),
    jsonValue: () => readJson(req, body),
    send: (status, body) => {
      sendJson(res, status, body);
    },
    sendText: (status, text) => {
      sendText(res, status, text);
    },
    sendEmpty: (status) => {
      sendEmpty(res, status);
    },
  };
}
