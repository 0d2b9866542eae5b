// The whole of a message that is small, by its events: an async iterator would cost as much as the message.
import type { IncomingMessage } from 'node:http';

export interface CollectOptions {
  readonly maxBytes: number;
  /** What a longer message is refused with. */
  readonly tooLong: () => Error;
  /** Called with every arrival of bytes. */
  readonly onProgress?: (() => void) | undefined;
}

/**
 * Everything that `message` has still to say. Rejects when that is too much, and then leaves the message as it is, so that an answer
 * can still go out on its connection; and when the message breaks off.
 */
export function collect(message: IncomingMessage, { maxBytes, tooLong, onProgress }: CollectOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (message.readableEnded) {
      resolve(Buffer.alloc(0));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      onProgress?.();
      length += chunk.length;
      chunks.push(chunk);
      if (length <= maxBytes) return;
      message.off('data', onData).pause();
      reject(tooLong());
    };
    const onBrokenOff = (): void => {
      reject(message.errored ?? new Error('the message was cut off'));
    };
    // Stays when all is over: an error that comes late has nobody else to go to.
    message.on('error', reject);
    message.once('close', onBrokenOff);
    // Never comes for a message that is cut: that ends with an error, or is closed.
    message.once('end', () => {
      message.off('close', onBrokenOff);
      resolve(Buffer.concat(chunks, length));
    });
    message.on('data', onData);
    if (message.destroyed) onBrokenOff();
  });
}

/** As `collect`, but a message that is too long or breaks off is destroyed. */
export async function readWhole(message: IncomingMessage, options: CollectOptions): Promise<Buffer> {
  try {
    return await collect(message, options);
  } catch (error) {
    message.destroy();
    throw error;
  }
}
