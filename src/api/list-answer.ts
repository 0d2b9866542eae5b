// A JSON list that may be long. It is written in parts as the client takes them, so that a list of many thousand rows
// neither fills memory nor keeps other calls waiting.
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { ApiCall } from './api-call.ts';

const partChars = 256 * 1024;

/** Answers 200 with `rows`, each of them JSON text. A list that fits into one part is sent whole. */
export async function sendJsonRows(call: ApiCall, rows: Iterable<string>): Promise<void> {
  const { res, signal } = call;
  let part: string[] = [];
  let chars = 0;
  let isFirst = true;
  for (const row of rows) {
    part.push(row);
    chars += row.length;
    if (chars < partChars) continue;
    if (isFirst) res.writeHead(200, { 'Content-Type': 'application/json' });
    const isTaken = res.write((isFirst ? '[' : ',') + part.join(','));
    [part, chars, isFirst] = [[], 0, false];
    await (isTaken ? turn() : drained(call));
    if (signal.aborted) return;
  }
  const last = part.join(',');
  if (isFirst) call.send(200, Buffer.from(`[${last}]\n`));
  else res.end(`${last === '' ? '' : ','}${last}]\n`);
}

async function drained({ res, signal }: ApiCall): Promise<void> {
  try {
    await once(res, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
