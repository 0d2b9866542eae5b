// What a running child process has printed so far.
import type { ChildProcess } from 'node:child_process';

/** Both of its outputs, in the order in which they arrive, from now on. */
export function outputOf(child: ChildProcess): () => string {
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  }
  return () => printed;
}
