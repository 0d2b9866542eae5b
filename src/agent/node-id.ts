// The node's own id: made once and kept on its disk, whatever becomes of its address, its name and its engine.
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../common/errors.ts';

const fileName = 'node-id';
const shape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id in the file `node-id` of `directory`, which is made when there is none. Rejects when it can be neither read nor made. */
export async function keepNodeId(directory: string): Promise<string> {
  const path = join(directory, fileName);
  const kept = await readKept(path);
  if (kept !== undefined) return kept;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${randomUUID()}\n`, { flag: 'w', mode: 0o644 });
  try {
    // Of two agents that start at once the first one's id counts: a link, unlike a rename, replaces nothing.
    await link(draft, path).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readKept(path);
  if (made === undefined) throw new Error(`${path} vanished`);
  return made;
}

async function readKept(path: string): Promise<string | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (!shape.test(text)) throw new Error(`${path} holds no id`);
    return text;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
