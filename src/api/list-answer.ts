// A JSON list that may be long. It is written in parts as the client takes them, so that a list of many thousand rows
// neither fills memory nor keeps other calls waiting.
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ApiCall } from './api-call.ts';

const partChars = 256 * 1024;

/** Answers 200 with `rows`, each of them JSON text. A list that fits into one part is sent whole. */
export async function sendJsonRows(call: ApiCall, rows: Iterable<string>): Promise<void> {
  const { res, signal } = call;
  let part = '[';
  let separator = '';
  for (const row of rows) {
    part += separator + row;
    separator = ',';
    if (part.length < partChars) continue;
    if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'application/json' });
    const isTaken = res.write(part);
    part = '';
    await (isTaken ? nextTurn() : drained(call));
    if (signal.aborted) return;
  }
  if (res.headersSent) res.end(`${part}]\n`);
  else call.send(200, Buffer.from(`${part}]\n`));
}

async function drained({ res, signal }: ApiCall): Promise<void> {
  try {
    await once(res, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
