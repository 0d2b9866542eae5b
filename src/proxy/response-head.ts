// Reads the head of an HTTP answer from a raw socket and nothing behind it: a parser that reads on would
// swallow the first bytes of a raw stream.
import type net from 'node:net';
import type { ResponseHead } from './raw-head.ts';

const maxHeadBytes = 256 * 1024;
const headEnd = Buffer.from('\r\n\r\n');

/** The first final head (or 101) that arrives; interim answers are skipped. The bytes behind it stay in the socket, unread.
 *  Rejects when the socket closes before, when `signal` aborts (with its reason), or when it is not HTTP. */
export function readResponseHead(socket: net.Socket, signal: AbortSignal): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    let seen: Buffer = Buffer.alloc(0);

    const finish = (act: () => void): void => {
      socket.removeListener('readable', onReadable);
      socket.removeListener('end', onEnd);
      socket.removeListener('close', onEnd);
      socket.removeListener('error', reject);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const fail = (error: Error): void => {
      finish(() => {
        reject(error);
      });
    };
    const onEnd = (): void => {
      fail(new Error('the connection was closed before an answer'));
    };
    const onAbort = (): void => {
      fail(signal.reason as Error);
    };
    const onReadable = (): void => {
      for (let chunk = readChunk(socket); chunk !== undefined; chunk = readChunk(socket)) {
        seen = Buffer.concat([seen, chunk]);
        try {
          const found = splitHead(seen);
          if (found === undefined) continue;
          if (found.rest.length > 0) socket.unshift(found.rest);
          finish(() => {
            resolve(found.head);
          });
          return;
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
          return;
        }
      }
    };

    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('end', onEnd).once('close', onEnd).once('error', reject).on('readable', onReadable);
  });
}

function readChunk(socket: net.Socket): Buffer | undefined {
  const chunk: unknown = socket.read();
  return Buffer.isBuffer(chunk) ? chunk : undefined;
}

/** Undefined: more bytes are needed. */
function splitHead(bytes: Buffer): { readonly head: ResponseHead; readonly rest: Buffer } | undefined {
  const end = bytes.indexOf(headEnd);
  if (end === -1) {
    if (bytes.length > maxHeadBytes) throw new Error('the head of the answer is too long');
    return undefined;
  }
  const head = parseResponseHead(bytes.toString('latin1', 0, end));
  const rest = bytes.subarray(end + headEnd.length);
  return isInterim(head) ? splitHead(rest) : { head, rest };
}

function parseResponseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, code, statusMessage = ''] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(statusLine) ?? [];
  if (code === undefined) throw new Error('the answer is not HTTP');
  return { statusCode: Number(code), statusMessage, rawHeaders: lines.flatMap(parseHeaderLine) };
}

function parseHeaderLine(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 1) throw new Error('the answer has a broken header');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function isInterim({ statusCode }: ResponseHead): boolean {
  return statusCode < 200 && statusCode !== 101;
}
