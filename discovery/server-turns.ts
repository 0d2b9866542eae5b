// Several servers of one store, one of them in use: the next one after a failure.
export class ServerTurns<Server> {
  readonly #servers: readonly [Server, ...Server[]];
  #turn = 0;

  constructor(servers: readonly [Server, ...Server[]]) {
    this.#servers = servers;
  }

  get all(): readonly Server[] {
    return this.#servers;
  }

  get current(): Server {
    return this.#servers[this.#turn % this.#servers.length] ?? this.#servers[0];
  }

  /** Turns to the next server, unless another failure of `failed` did so already. */
  leave(failed: Server): void {
    if (this.current === failed) this.#turn += 1;
  }

  /** Asks the current server, and leaves it when it fails by anything but what `isNoFault` knows. */
  async ask<T>(work: (server: Server) => Promise<T>, isNoFault: (error: unknown) => boolean): Promise<T> {
    const server = this.current;
    try {
      return await work(server);
    } catch (error) {
      if (!isNoFault(error)) this.leave(server);
      throw error;
    }
  }
}
