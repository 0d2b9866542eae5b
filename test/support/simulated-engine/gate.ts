// A frozen engine does nothing: what it would do is kept, in order, until it thaws.

export class Gate {
  #frozen = false;
  #kept: (() => void)[] = [];

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    const kept = this.#kept;
    this.#kept = [];
    for (const action of kept) action();
  }

  /** Thaws without doing what was kept, as a killed process never will. */
  forget(): void {
    this.#frozen = false;
    this.#kept = [];
  }

  /** Runs `action` now, or when the engine thaws. */
  run(action: () => void): void {
    if (this.#frozen) this.#kept.push(action);
    else action();
  }
}
