// When each image name last got another image on an engine, in the order in which the mirrors showed it. What an engine
// had when it was first listed counts as older than every move since.
import type { ImageRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';

interface Meaning {
  readonly imageId: string;
  readonly movedAt: number;
}

export class NameMoves {
  readonly #byEngine = new Map<Engine, ReadonlyMap<string, Meaning>>();
  #moves = 0;

  /** Takes over what `engine` has now; each row comes with its names. */
  replace(engine: Engine, rows: Iterable<readonly [ImageRow, Iterable<string>]>): void {
    const before = this.#byEngine.get(engine);
    const isFirst = before === undefined || before.size === 0;
    const moved = this.#moves + 1;
    const after = new Map<string, Meaning>();
    for (const [{ Id }, names] of rows) {
      for (const name of names) {
        const known = before?.get(name);
        const isKept = known?.imageId === Id;
        after.set(name, isKept ? known : { imageId: Id, movedAt: isFirst ? 0 : moved });
      }
    }
    this.#moves = moved;
    this.#byEngine.set(engine, after);
  }

  removeEngine(engine: Engine): void {
    this.#byEngine.delete(engine);
  }

  /** Greater is later; 0: not since the engine was first listed. */
  movedAt(engine: Engine, name: string): number {
    return this.#byEngine.get(engine)?.get(name)?.movedAt ?? 0;
  }
}
