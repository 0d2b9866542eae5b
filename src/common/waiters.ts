// Those who wait for the next change, however many.

export class Waiters {
  readonly #wakes = new Set<() => void>();

  /**
   * Resolves at the next `wake`, or when `signal` aborts; at once when it already has. Look whether there is news
   * before, with nothing awaited in between.
   */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        this.#wakes.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wakes.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}
