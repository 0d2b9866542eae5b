// The open connections of the server, so that stopping can wait for their end and then enforce it, and so that no
// client has all of them.
import type { Socket } from 'node:net';
import { Waiters } from '../common/waiters.ts';
import { Deadline } from '../common/deadline.ts';

export class Connections {
  readonly #maxPerClient: number;
  readonly #sockets = new Set<Socket>();
  readonly #byAddress = new Map<string, number>();
  readonly #ends = new Waiters();

  constructor(maxPerClient: number) {
    this.#maxPerClient = maxPerClient;
  }

  /** False when the client, known by its address, has as many as it may; the connection is then not one of these. Unix sockets have no address and no limit. */
  add(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const count = (this.#byAddress.get(address) ?? 0) + 1;
    if (address !== '' && count > this.#maxPerClient) return false;
    this.#byAddress.set(address, count);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#release(address);
      if (this.#sockets.size === 0) this.#ends.wake();
    });
    return true;
  }

  /** True as soon as none is open, false when `withinMs` are over before that. */
  async closed(withinMs: number): Promise<boolean> {
    if (this.#sockets.size === 0) return true;
    const deadline = new Deadline(withinMs, []);
    await this.#ends.wait(deadline.signal);
    deadline.clear();
    return this.#sockets.size === 0;
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #release(address: string): void {
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
