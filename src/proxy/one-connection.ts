// An agent that has one connection, which exists already: whoever must know that the other side is there before it sends
// anything connects first, and sends then.
import http from 'node:http';
import type net from 'node:net';

export class OneConnection extends http.Agent {
  readonly #socket: net.Socket;

  /** `socket` is connected, its handshake over. */
  constructor(socket: net.Socket) {
    super({ keepAlive: false });
    this.#socket = socket;
  }

  override createConnection(): net.Socket {
    return this.#socket;
  }
}
