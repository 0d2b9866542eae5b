// Bytes that nothing can guess or compress, written piece by piece, and their checksums: for tests of big transfers.
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const mebibyte = 1024 * 1024;

/** Gives a child random input, ends it, and resolves when the child has closed: checksums of input and of all output. */
export async function throughChild(
  child: ChildProcess,
  mebibytes: number,
): Promise<{ sent: string; received: string; code: unknown }> {
  const sent = createHash('sha256');
  const received = createHash('sha256');
  child.stdout?.on('data', (chunk: Buffer) => received.update(chunk));
  child.stderr?.on('data', (chunk: Buffer) => received.update(chunk));
  const closed = once(child, 'close');
  for (let count = 0; count < mebibytes; count += 1) {
    const chunk = randomBytes(mebibyte);
    sent.update(chunk);
    if (child.stdin?.write(chunk) === false) await Promise.race([once(child.stdin, 'drain'), closed]);
  }
  child.stdin?.end();
  const [code] = (await closed) as unknown[];
  return { sent: sent.digest('hex'), received: received.digest('hex'), code };
}

export async function writeRandomFile(path: string, mebibytes: number): Promise<void> {
  await pipeline(Readable.from(randomMebibytes(mebibytes)), createWriteStream(path));
}

function* randomMebibytes(count: number): Generator<Buffer> {
  for (let made = 0; made < count; made += 1) yield randomBytes(mebibyte);
}

export async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
