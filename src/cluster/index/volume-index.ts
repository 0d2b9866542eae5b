// Every volume of the cluster by name. Volumes of one name on several nodes are different volumes, except those of a
// driver with global scope.
import { ApiError, conflict } from '../../common/errors.ts';
import { compareText } from '../../common/compare-text.ts';
import type { VolumeRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../nodes/identity.ts';
import type { VolumeLocation } from '../locations.ts';
import { OwnedKeys } from './owned-keys.ts';
import type { Owned } from './owned-keys.ts';

export class VolumeIndex {
  readonly #identities: Identities;
  readonly #rows = new OwnedKeys<VolumeRow>();

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  /** Takes over what the engine's mirror shows. */
  replace(engine: Engine): void {
    const rows = [...engine.mirror.volumes.values()];
    this.#rows.replace(
      engine,
      rows.map((row) => [row, [row.Name]]),
    );
  }

  removeEngine(engine: Engine): void {
    this.#rows.removeEngine(engine);
  }

  /** The volumes of exactly that name, in no order. */
  named(name: string): readonly Owned<VolumeRow>[] {
    return this.#rows.get(name);
  }

  /** Throws 404, or 409 with the candidates when several nodes have a volume of that name. */
  resolve(reference: string): VolumeLocation {
    const location = this.find(reference);
    if (location === undefined) throw new ApiError(404, `get ${reference}: no such volume`);
    return location;
  }

  find(reference: string): VolumeLocation | undefined {
    const named = this.#rows.get(reference);
    if (named.length > 0) return this.#only(named, reference);
    const slash = reference.indexOf('/');
    const engine = slash === -1 ? undefined : this.#identities.find(reference.slice(0, slash));
    const row = engine?.mirror.volumes.get(reference.slice(slash + 1));
    return engine === undefined || row === undefined ? undefined : { engine, row };
  }

  #only(owned: readonly Owned<VolumeRow>[], reference: string): VolumeLocation {
    const [first] = [...owned].sort(
      (a, b) =>
        reachability(b.engine) - reachability(a.engine) || compareText(this.#name(a.engine), this.#name(b.engine)),
    );
    if (first === undefined) throw new ApiError(404, `get ${reference}: no such volume`);
    if (owned.length === 1 || owned.every(({ row }) => row.Scope === 'global')) return first;
    const names = owned.map(({ engine }) => `${this.#name(engine)}/${reference}`).sort(compareText);
    throw conflict(`volume ${reference} is ambiguous, several nodes have one of that name: ${names.join(', ')}`);
  }

  #name(engine: Engine): string {
    return this.#identities.nameOf(engine);
  }
}

function reachability(engine: Engine): number {
  return engine.state === 'healthy' ? 1 : 0;
}
