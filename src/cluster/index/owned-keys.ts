// A key index whose values belong to engines and are replaced engine by engine: what an engine listed last is
// exactly what the index holds for it.
import type { Engine } from '../../engine/engine.ts';
import { KeyIndex } from './key-index.ts';

export interface Owned<Row> {
  readonly engine: Engine;
  readonly row: Row;
}

export class OwnedKeys<Row> {
  readonly #index = new KeyIndex<Owned<Row>>();
  readonly #byEngine = new Map<Engine, readonly (readonly [string, Owned<Row>])[]>();
  #revision = 0;

  /** Changes whenever the index does: what was derived from it is good as long as this is the same. */
  get revision(): number {
    return this.#revision;
  }

  /** Replaces everything `engine` has; each row comes with the keys by which it is found. */
  replace(engine: Engine, rows: Iterable<readonly [Row, Iterable<string>]>): void {
    this.removeEngine(engine);
    const entries: (readonly [string, Owned<Row>])[] = [];
    for (const [row, keys] of rows) {
      const owned = { engine, row };
      for (const key of new Set(keys)) entries.push([key, owned]);
    }
    for (const [key, owned] of entries) this.#index.add(key, owned);
    this.#byEngine.set(engine, entries);
    this.#revision += 1;
  }

  removeEngine(engine: Engine): void {
    for (const [key, owned] of this.#byEngine.get(engine) ?? []) this.#index.remove(key, owned);
    this.#byEngine.delete(engine);
    this.#revision += 1;
  }

  get(key: string): readonly Owned<Row>[] {
    return this.#index.get(key);
  }

  startingWith(prefix: string, limit: number): readonly string[] {
    return this.#index.startingWith(prefix, limit);
  }
}
