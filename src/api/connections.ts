// The open connections of the server, so that stopping can wait for their end and then enforce it.
import type { Socket } from 'node:net';

export class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<() => void>();

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#wake();
    });
  }

  /** True as soon as none is open, false when `withinMs` are over before that. */
  async closed(withinMs: number): Promise<boolean> {
    if (this.#sockets.size === 0) return true;
    return await new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(finish);
        resolve(this.#sockets.size === 0);
      };
      const timer = setTimeout(finish, withinMs);
      this.#waiters.add(finish);
    });
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}
