// Peers on bare sockets for tests that count bytes: a client connection, an engine that is a script, and a
// front server whose every socket is known.
import { once } from 'node:events';
import type http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { until } from './until.ts';

/** One end of a connection that remembers what it read, chunk by chunk. It never closes its writing side by itself. */
export class RawConnection {
  readonly socket: net.Socket;
  readonly chunks: Buffer[] = [];
  hasEnded = false;
  isClosed = false;
  error: Error | undefined;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    socket.on('end', () => (this.hasEnded = true));
    socket.on('error', (error) => (this.error = error));
    socket.on('close', () => (this.isClosed = true));
  }

  static async open(port: number): Promise<RawConnection> {
    const connection = new RawConnection(net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
    await once(connection.socket, 'connect');
    return connection;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  send(...parts: (string | Buffer)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  /** What stands behind the blank line of the head. */
  get body(): string {
    const end = this.text.indexOf('\r\n\r\n');
    return end === -1 ? '' : this.text.slice(end + 4);
  }

  async receives(text: string): Promise<void> {
    await until(`${JSON.stringify(text)} is received, not only ${JSON.stringify(this.text.slice(-400))}`, () =>
      this.text.includes(text),
    );
  }

  async ends(): Promise<void> {
    await until('the peer has closed its side', () => this.hasEnded || this.isClosed);
  }

  async closes(): Promise<void> {
    await until('the connection is closed', () => this.isClosed);
  }
}

export interface RawEngine {
  readonly port: number;
  /** Every connection that was ever accepted, in order. */
  readonly connections: readonly RawConnection[];
  /** How many are open now. */
  open(): number;
  /** The connection number `index`, as soon as it exists. */
  connection(index: number): Promise<RawConnection>;
  close(): Promise<void>;
}

/** A listener that does nothing but accept; `onConnection` may play the engine. */
export async function startRawEngine(onConnection?: (connection: RawConnection) => void): Promise<RawEngine> {
  const connections: RawConnection[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new RawConnection(socket);
    connections.push(connection);
    onConnection?.(connection);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    connections,
    open: () => connections.filter(({ isClosed }) => !isClosed).length,
    connection: (index) => until(`connection ${index} has arrived`, () => connections[index]),
    async close() {
      for (const { socket } of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface FrontServer {
  readonly port: number;
  readonly server: http.Server;
  openSockets(): number;
  close(): Promise<void>;
}

/** An HTTP server that can be closed whatever its clients do. */
export async function startFrontServer(server: http.Server): Promise<FrontServer> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    server,
    openSockets: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function portOf(server: net.Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
