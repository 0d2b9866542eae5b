// Every network of the cluster by id and name. One swarm-scoped network has the same id on many engines and is one
// network; bridge, host and none are on every engine, each its own, and the first node's stands for all.
import { ApiError, badRequest, conflict } from '../../common/errors.ts';
import { compareText } from '../../common/compare-text.ts';
import { isPredefinedNetwork } from '../../docker/predefined-networks.ts';
import type { NetworkRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Identities } from '../nodes/identity.ts';
import type { NetworkLocation } from '../locations.ts';
import type { Swarms } from '../swarm/swarms.ts';
import { OwnedKeys } from './owned-keys.ts';
import type { Owned } from './owned-keys.ts';

export class NetworkIndex {
  readonly #identities: Identities;
  readonly #swarms: Swarms<Engine>;
  readonly #rows = new OwnedKeys<NetworkRow>();
  #memo: { reference: string; revision: number; owners: NetworkOwners } | undefined;

  constructor(identities: Identities, swarms: Swarms<Engine>) {
    this.#identities = identities;
    this.#swarms = swarms;
  }

  /** Takes over what the engine's mirror shows. */
  replace(engine: Engine): void {
    const rows = [...engine.mirror.networks.values()];
    this.#rows.replace(
      engine,
      rows.map((row) => [row, [idKey(row.Id), nameKey(row.Name)]]),
    );
  }

  removeEngine(engine: Engine): void {
    this.#rows.removeEngine(engine);
  }

  /** The networks of exactly that name, in no order. */
  named(name: string): readonly Owned<NetworkRow>[] {
    return this.#rows.get(nameKey(name));
  }

  /** Throws 404, 400 for an id prefix of several networks, 409 for a name that several nodes use for different ones. */
  resolve(reference: string): NetworkLocation {
    const location = this.find(reference);
    if (location === undefined) throw new ApiError(404, `network ${reference} not found`);
    return location;
  }

  find(reference: string): NetworkLocation | undefined {
    if (reference === '') return undefined;
    const exact = this.#rows.get(idKey(reference));
    if (exact.length > 0) return this.#location(exact);
    const named = this.#rows.get(nameKey(reference));
    if (named.length > 0) return this.#onlyNamed(named, reference);
    const slash = reference.indexOf('/');
    if (slash !== -1) return this.#onNode(reference.slice(0, slash), reference.slice(slash + 1));
    const [key, other] = this.#rows.startingWith(idKey(reference), 2);
    if (other !== undefined) throw ambiguousPrefix(reference);
    return key === undefined ? undefined : this.#location(this.#rows.get(key));
  }

  /** The network of that id, name or unique id prefix on one engine. */
  findOnEngine(engine: Engine, reference: string): NetworkRow | undefined {
    const rows = engine.mirror.networks;
    const exact = rows.get(reference) ?? [...rows.values()].find((row) => row.Name === reference);
    if (exact !== undefined || reference === '') return exact;
    const hits = [...rows.values()].filter((row) => row.Id.startsWith(reference));
    return hits.length === 1 ? hits[0] : undefined;
  }

  /** Whether a container on `engine` can join the network: a swarm-scoped one is joined from every node of the swarm. */
  isReachableFrom(engine: Engine, reference: string): boolean {
    const { engines, shared } = this.#owners(reference);
    if (shared === undefined || engines.has(engine)) return engines.has(engine);
    const swarm = this.#swarms.of(engine);
    return swarm !== undefined && swarm === this.#swarms.of(shared);
  }

  // A placement asks every node for the same network in one go.
  #owners(reference: string): NetworkOwners {
    const memo = this.#memo;
    if (memo?.reference === reference && memo.revision === this.#rows.revision) return memo.owners;
    const owned = this.#matching(reference);
    const owners = {
      engines: new Set(owned.map(({ engine }) => engine)),
      shared: owned.find(({ row }) => row.Scope === 'swarm')?.engine,
    };
    this.#memo = { reference, revision: this.#rows.revision, owners };
    return owners;
  }

  #matching(reference: string): readonly Owned<NetworkRow>[] {
    if (reference === '') return [];
    const exact = this.#rows.get(idKey(reference));
    if (exact.length > 0) return exact;
    const named = this.#rows.get(nameKey(reference));
    if (named.length > 0) return named;
    const [key, other] = this.#rows.startingWith(idKey(reference), 2);
    return key === undefined || other !== undefined ? [] : this.#rows.get(key);
  }

  #onlyNamed(owned: readonly Owned<NetworkRow>[], reference: string): NetworkLocation {
    const first = this.#location(owned);
    const ids = new Set(owned.map(({ row }) => row.Id));
    if (ids.size === 1) return first;
    if (isPredefinedNetwork(reference)) return { engines: [first.engines[0]], row: first.row };
    const names = owned.map(({ engine }) => `${this.#identities.nameOf(engine)}/${reference}`).sort(compareText);
    throw conflict(`network ${reference} is ambiguous, several nodes have one of that name: ${names.join(', ')}`);
  }

  #onNode(node: string, rest: string): NetworkLocation | undefined {
    const engine = this.#identities.find(node);
    const row = engine === undefined ? undefined : this.findOnEngine(engine, rest);
    return engine === undefined || row === undefined ? undefined : { engines: [engine], row };
  }

  /** Reachable engines first, among them swarm managers, who alone can change a swarm-scoped network. */
  #location(owned: readonly Owned<NetworkRow>[]): NetworkLocation {
    const sorted = [...owned].sort(
      (a, b) => rank(b.engine) - rank(a.engine) || compareText(this.#name(a.engine), this.#name(b.engine)),
    );
    const [first, ...others] = sorted;
    if (first === undefined) throw new ApiError(404, 'network not found');
    return { engines: [first.engine, ...others.map(({ engine }) => engine)], row: first.row };
  }

  #name(engine: Engine): string {
    return this.#identities.nameOf(engine);
  }
}

interface NetworkOwners {
  readonly engines: ReadonlySet<Engine>;
  /** One of the engines, if the network belongs to their swarm. */
  readonly shared: Engine | undefined;
}

function rank(engine: Engine): number {
  return (engine.state === 'healthy' ? 2 : 0) + (engine.info?.Swarm?.ControlAvailable === true ? 1 : 0);
}

function ambiguousPrefix(reference: string): ApiError {
  return badRequest(`network ${reference} is ambiguous: several ids begin like that`);
}

function idKey(id: string): string {
  return `id ${id}`;
}

function nameKey(name: string): string {
  return `name ${name}`;
}
