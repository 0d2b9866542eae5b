// Many nodes that vanish together are a broken network or a broken manager sooner than broken nodes: then nothing is
// repaired until they are back, or an operator says of a node that it is gone. Pure but for what it remembers.

/** Nodes that vanish within this time vanish together. */
const togetherMs = 60_000;
const mostShare = 0.3;

export class Brake {
  /** Since when each node is lost; milliseconds of a clock that does not jump. */
  readonly #since = new Map<string, number>();
  readonly #frozen = new Set<string>();

  /** Takes what is lost now; answers with the nodes that have just been frozen. */
  update(lost: ReadonlySet<string>, members: number, nowMs: number): readonly string[] {
    for (const node of [...this.#since.keys()]) if (!lost.has(node)) this.#release(node);
    for (const node of lost) if (!this.#since.has(node)) this.#since.set(node, nowMs);
    const together = [...this.#since].filter(([, sinceMs]) => nowMs - sinceMs <= togetherMs).map(([node]) => node);
    const isTooMany = together.length > 1 && together.length > members * mostShare;
    const added = isTooMany ? together.filter((node) => !this.#frozen.has(node)) : [];
    for (const node of added) this.#frozen.add(node);
    return added;
  }

  isFrozen(node: string): boolean {
    return this.#frozen.has(node);
  }

  /** How long the node has been lost; undefined: it is not. */
  lostForMs(node: string, nowMs: number): number | undefined {
    const since = this.#since.get(node);
    return since === undefined ? undefined : nowMs - since;
  }

  #release(node: string): void {
    this.#since.delete(node);
    this.#frozen.delete(node);
  }
}
