// What the cluster calls its members. Cloned machines report equal ids or names: the member with the lowest
// address keeps the plain one, every other gets its address appended, the same in every manager.
import { compareText } from '../../common/compare-text.ts';
import type { Engine } from '../../engine/engine.ts';
import type { IdentityConflict, NodeIdentity } from '../locations.ts';

export class Identities {
  readonly #reported = new Map<Engine, NodeIdentity>();
  readonly #byId = new Claims();
  readonly #byName = new Claims();
  readonly #byAddress = new Map<string, Engine>();
  #revision = 0;
  #conflicts: { readonly revision: number; readonly found: readonly IdentityConflict[] } | undefined;

  /** Changes whenever a shown id or name may have changed. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes over what `engine` reports now; true when that differs from before, so that shown names may change. */
  update(engine: Engine): boolean {
    const before = this.#reported.get(engine);
    const reported: NodeIdentity = {
      id: engine.id === '' ? engine.address : engine.id,
      name: engine.name === '' ? engine.address : engine.name,
    };
    if (before?.id === reported.id && before.name === reported.name) return false;
    this.remove(engine);
    this.#reported.set(engine, reported);
    this.#byId.add(reported.id, engine);
    this.#byName.add(reported.name, engine);
    this.#byAddress.set(engine.address, engine);
    this.#revision += 1;
    return true;
  }

  remove(engine: Engine): void {
    const reported = this.#reported.get(engine);
    if (reported === undefined) return;
    this.#reported.delete(engine);
    this.#byId.remove(reported.id, engine);
    this.#byName.remove(reported.name, engine);
    this.#byAddress.delete(engine.address);
    this.#revision += 1;
  }

  of(engine: Engine): NodeIdentity {
    const reported = this.#reported.get(engine);
    if (reported === undefined) return { id: engine.address, name: engine.address };
    return {
      id: this.#byId.isFirst(reported.id, engine) ? reported.id : `${reported.id}|${engine.address}`,
      name: this.#byName.isFirst(reported.name, engine) ? reported.name : `${reported.name}-${engine.address}`,
    };
  }

  nameOf(engine: Engine): string {
    return this.of(engine).name;
  }

  /** The member of that shown name, shown id or address. */
  find(reference: string): Engine | undefined {
    const plain = this.#byName.first(reference) ?? this.#byId.first(reference) ?? this.#byAddress.get(reference);
    if (plain !== undefined) return plain;
    for (const [address, engine] of this.#byAddress) {
      if (!reference.endsWith(address)) continue;
      const { id, name } = this.of(engine);
      if (reference === id || reference === name) return engine;
    }
    return undefined;
  }

  /** Ids and names that several members report, in stable order. */
  conflicts(): readonly IdentityConflict[] {
    if (this.#conflicts?.revision !== this.#revision) {
      const found = [...this.#byId.conflicts('id'), ...this.#byName.conflicts('name')];
      this.#conflicts = { revision: this.#revision, found };
    }
    return this.#conflicts.found;
  }
}

/** Who claims which value, the lowest address first. */
class Claims {
  readonly #claimants = new Map<string, Engine[]>();

  add(value: string, engine: Engine): void {
    const engines = [...(this.#claimants.get(value) ?? []), engine];
    this.#claimants.set(
      value,
      engines.sort((a, b) => compareText(a.address, b.address)),
    );
  }

  remove(value: string, engine: Engine): void {
    const rest = (this.#claimants.get(value) ?? []).filter((other) => other !== engine);
    if (rest.length === 0) this.#claimants.delete(value);
    else this.#claimants.set(value, rest);
  }

  first(value: string): Engine | undefined {
    return this.#claimants.get(value)?.[0];
  }

  isFirst(value: string, engine: Engine): boolean {
    return this.first(value) === engine;
  }

  conflicts(kind: IdentityConflict['kind']): IdentityConflict[] {
    return [...this.#claimants]
      .filter(([, engines]) => engines.length > 1)
      .map(([value, engines]) => ({ kind, value, addresses: engines.map((engine) => engine.address) }))
      .sort((a, b) => compareText(a.value, b.value));
  }
}
