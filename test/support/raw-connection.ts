// A client that speaks bytes: for everything that an HTTP library would hide.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { until } from './until.ts';

/** A connection to a port of this machine, or to a unix socket. */
export async function openRawConnection(target: number | string): Promise<RawConnection> {
  const options = typeof target === 'number' ? { host: '127.0.0.1', port: target } : { path: target };
  const socket = connect({ ...options, allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new RawConnection(socket);
}

export class RawConnection {
  readonly socket: Socket;
  /** Each piece as it arrived. */
  readonly pieces: Buffer[] = [];
  /** The other side has said that it sends no more. */
  hasEnded = false;
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.pieces.push(chunk));
    socket.on('end', () => {
      this.hasEnded = true;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.pieces);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Half-closes: nothing more will be sent. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  async untilText(text: string | RegExp): Promise<string> {
    await until(`the client receives ${String(text)}`, () =>
      typeof text === 'string' ? this.text.includes(text) : text.test(this.text),
    );
    return this.text;
  }

  async untilEnd(): Promise<string> {
    await until('the server ends the stream', () => this.hasEnded || this.isClosed);
    return this.text;
  }

  async untilClosed(): Promise<string> {
    await until('the connection closes', () => this.isClosed);
    return this.text;
  }
}
