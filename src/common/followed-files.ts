// Files that may change while they are in use. They are looked at rather than watched: a look sees what a watch misses,
// a symbolic link that points elsewhere, a file that is replaced by another, a file system of another machine.
import { stat } from 'node:fs/promises';
import { sleep } from './abort.ts';
import { errorCode } from './errors.ts';

const lookEveryMs = 500;

/** Calls `onChange` at first and after each change of any of `paths`, until `signal` aborts. */
export async function followFiles(paths: readonly string[], onChange: () => void, signal: AbortSignal): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    const now = (await Promise.all(paths.map(stamp))).join(' ');
    if (now !== last) onChange();
    last = now;
    await sleep(lookEveryMs, signal);
  }
}

async function stamp(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch (error) {
    return errorCode(error) ?? 'unreadable';
  }
}
