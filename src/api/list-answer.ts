// A JSON list that may be long. It is written in parts as the client takes them, so that a list of many thousand rows
// neither fills memory nor keeps other calls waiting.
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ApiCall } from './api-call.ts';

const partBytes = 256 * 1024;
const opening = Buffer.from('[');
const closing = Buffer.from(']\n');

/** Answers 200 with `rows`: JSON texts, each with a comma in front. A list that fits into one part is sent whole. */
export async function sendJsonRows(call: ApiCall, rows: Iterable<Buffer>): Promise<void> {
  const { res, signal } = call;
  let part: Buffer[] = [opening];
  let length = 0;
  let isFirst = true;
  for (const bytes of rows) {
    if (bytes.length === 0) continue;
    part.push(isFirst ? bytes.subarray(1) : bytes);
    isFirst = false;
    length += bytes.length;
    if (length < partBytes) continue;
    if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'application/json' });
    const isTaken = writeTogether(call, part);
    [part, length] = [[], 0];
    await (isTaken ? nextTurn() : drained(call));
    if (signal.aborted) return;
  }
  part.push(closing);
  if (!res.headersSent) call.send(200, Buffer.concat(part));
  else {
    writeTogether(call, part);
    res.end();
  }
}

/** As one chunk; false when the client must take it before there is more. */
function writeTogether({ res }: ApiCall, part: readonly Buffer[]): boolean {
  res.cork();
  const isTaken = part.map((bytes) => res.write(bytes)).at(-1) ?? true;
  res.uncork();
  return isTaken;
}

async function drained({ res, signal }: ApiCall): Promise<void> {
  try {
    await once(res, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
