// Writes whole answers. JSON carries exactly `application/json`, because clients read `message` only under
// that type, and ends with a line end as dockerd's does.
import type { ServerResponse } from 'node:http';

/** Answers with `body` as JSON; a Buffer is taken as ready JSON text and sent as it is. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(`${JSON.stringify(body)}\n`);
  sendBytes(res, status, 'application/json', bytes);
}

/** Answers with plain text, as `_ping` does. */
export function sendText(res: ServerResponse, status: number, text: string): void {
  sendBytes(res, status, 'text/plain; charset=utf-8', Buffer.from(text));
}

/** Answers without a body. A 200 or 201 says so with a length of 0, so that the connection can go on. */
export function sendEmpty(res: ServerResponse, status: number): void {
  if (status !== 204 && status !== 304) res.setHeader('Content-Length', 0);
  res.writeHead(status).end();
}

export function sendBytes(res: ServerResponse, status: number, type: string, bytes: Buffer): void {
  res.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length });
  res.end(bytes);
}
