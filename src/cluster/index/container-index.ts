// Every container of the cluster by id, name and swarm id, changed record by record as the mirrors change. A
// lookup costs the same whatever the size of the cluster. Of a container that is being made anew elsewhere one is shown.
import { badRequest, conflict, notFound } from '../../common/errors.ts';
import type { ApiError } from '../../common/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { Identities } from '../nodes/identity.ts';
import type { ContainerBlock, ContainerLocation } from '../locations.ts';
import { generationLabel, swarmIdLabel } from '../swarm-labels.ts';
import { ContainerOrder } from './container-order.ts';
import { KeyIndex } from './key-index.ts';

export class ContainerIndex {
  readonly #identities: Identities;
  readonly #locations = new Map<Engine, Map<string, ContainerLocation>>();
  readonly #byId = new KeyIndex<ContainerLocation>();
  readonly #byName = new KeyIndex<ContainerLocation>();
  readonly #bySwarmId = new KeyIndex<ContainerLocation>();
  readonly #order: ContainerOrder;
  /** Those that are left out of `#order`: see `#isHidden`. */
  readonly #hidden = new Set<ContainerLocation>();

  constructor(identities: Identities) {
    this.#identities = identities;
    this.#order = new ContainerOrder(identities);
  }

  replace(engine: Engine, before: ContainerRecord | undefined, after: ContainerRecord | undefined): void {
    let locations = this.#locations.get(engine);
    if (locations === undefined) this.#locations.set(engine, (locations = new Map<string, ContainerLocation>()));
    const previous = before === undefined ? undefined : locations.get(before.id);
    const location = after === undefined ? undefined : { engine, record: after };
    if (location !== undefined) locations.set(location.record.id, location);
    else if (previous !== undefined) locations.delete(previous.record.id);
    if (previous !== undefined && location !== undefined && haveSameKeys(previous.record, location.record)) {
      this.#relink(previous, location);
    } else {
      if (previous !== undefined) this.#unlink(previous);
      if (location !== undefined) this.#link(location);
    }
    this.#showOneOfEach(previous, location);
  }

  removeEngine(engine: Engine): void {
    const left = [...(this.#locations.get(engine)?.values() ?? [])];
    this.#locations.delete(engine);
    for (const location of left) this.#unlink(location);
    this.#showOneOfEach(...left);
  }

  *all(): Iterable<ContainerLocation> {
    for (const locations of this.#locations.values())
      for (const location of locations.values()) if (!this.#hidden.has(location)) yield location;
  }

  /** Every container, the newest first; of equal age by node and id. */
  newestFirst(): readonly ContainerBlock[] {
    return this.#order.newestFirst();
  }

  /** Negative when `a` comes before `b` in `newestFirst`. */
  compareAge(a: ContainerLocation, b: ContainerLocation): number {
    return this.#order.compare(a, b);
  }

  named(name: string): readonly ContainerLocation[] {
    const named = this.#byName.get(name);
    return this.#shown(named) ?? named;
  }

  /** Whether a container has that id or that swarm id. */
  hasId(id: string): boolean {
    return this.#byId.get(id).length > 0 || this.#bySwarmId.get(id).length > 0;
  }

  withId(id: string): readonly ContainerLocation[] {
    return this.#byId.get(id);
  }

  withSwarmId(swarmId: string): readonly ContainerLocation[] {
    return this.#bySwarmId.get(swarmId);
  }

  /** False for a copy that another one has taken the place of. */
  isCurrent({ record }: ContainerLocation): boolean {
    const id = bearerId(record);
    const copies = this.#bySwarmId.get(id);
    const others = id === record.id ? copies : [...copies, ...this.#byId.get(id)];
    return others.length === 0 || currentCopy([...others, ...this.#byId.get(record.id)])?.record.id === record.id;
  }

  /** Throws 404 when nothing answers to `reference`, and as `find`. */
  resolve(reference: string): ContainerLocation {
    if (reference === '') throw badRequest('invalid name or ID supplied: ""');
    const location = this.find(reference);
    if (location === undefined) throw notFound('container', reference);
    return location;
  }

  /** Throws 400 for an id prefix of several containers, 409 for a name or id that several nodes have. */
  find(reference: string): ContainerLocation | undefined {
    const plain = reference.startsWith('/') ? reference.slice(1) : reference;
    if (plain === '') return undefined;
    const exact = this.#withId(plain);
    if (exact.length > 0) return this.#only(exact, reference);
    const named = this.named(plain);
    if (named.length > 0) return this.#only(named, reference);
    const slash = plain.indexOf('/');
    if (slash !== -1) return this.#findOnNode(plain.slice(0, slash), plain.slice(slash + 1), reference);
    const [id, other] = this.#byId.startingWith(plain, 2);
    if (other !== undefined) throw ambiguousPrefix(reference);
    if (id !== undefined) return this.#only(this.#withId(id), reference);
    const copies = this.#bySwarmId.get(plain);
    return copies.length === 0 ? undefined : currentCopy(copies);
  }

  /** The container of that id, id prefix or name on one engine; undefined when none or several answer to it. */
  findOnEngine(engine: Engine, reference: string): ContainerLocation | undefined {
    const locations = this.#locations.get(engine);
    const exact = locations?.get(reference) ?? this.#byName.get(reference).find((one) => one.engine === engine);
    if (exact !== undefined || reference === '') return exact;
    const hits = this.#byId
      .startingWith(reference, maxPrefixHits)
      .flatMap((id) => this.#byId.get(id).filter((one) => one.engine === engine));
    if (hits.length > 0) return hits.length === 1 ? hits[0] : undefined;
    return this.#bySwarmId.get(reference).find((one) => one.engine === engine);
  }

  #findOnNode(node: string, rest: string, reference: string): ContainerLocation | undefined {
    const engine = this.#identities.find(node);
    return engine === undefined ? undefined : this.#onEngine(engine, rest, reference);
  }

  #onEngine(engine: Engine, rest: string, reference: string): ContainerLocation | undefined {
    const location = this.findOnEngine(engine, rest);
    if (location !== undefined) return location;
    const hits = this.#byId.startingWith(rest, 2).filter((id) => this.#locations.get(engine)?.has(id));
    if (rest !== '' && hits.length > 1) throw ambiguousPrefix(reference);
    return undefined;
  }

  #only(locations: readonly ContainerLocation[], reference: string): ContainerLocation {
    const [first, second] = locations;
    if (first === undefined) throw notFound('container', reference);
    if (second === undefined) return first;
    const copies = copiesOfOne(locations) ? currentCopy(locations) : undefined;
    if (copies !== undefined) return copies;
    throw this.#ambiguous(locations, reference);
  }

  #ambiguous(locations: readonly ContainerLocation[], reference: string): ApiError {
    const names = locations.map(({ engine, record }) => `${this.#identities.nameOf(engine)}/${record.name}`).sort();
    return conflict(`${reference} is ambiguous, several nodes have a container of that name: ${names.join(', ')}`);
  }

  /** Instead of one that is hidden, the one that is shown for it. */
  #withId(id: string): readonly ContainerLocation[] {
    const exact = this.#byId.get(id);
    return this.#shown(exact) ?? this.#shown(this.#bySwarmId.get(id)) ?? exact;
  }

  /** undefined when none is. */
  #shown(locations: readonly ContainerLocation[]): readonly ContainerLocation[] | undefined {
    if (this.#hidden.size === 0) return locations;
    const shown = locations.filter((location) => !this.#hidden.has(location));
    return shown.length === 0 ? undefined : shown;
  }

  /**
   * A container that was never started may be made anew on another node, with the id of the first as its swarm id. Of
   * the two the first is shown until the second was started, and from then on the second. Of the copies of one that
   * leaves its node the current one is shown, as long as an older one has not given up the name.
   */
  #isHidden({ record }: ContainerLocation): boolean {
    const bearer = bearerId(record);
    const copies = [...this.#bySwarmId.get(bearer), ...this.#byId.get(bearer)];
    if (copies.some((other) => takesThePlaceOf(other.record, record))) return true;
    if (wasStarted(record)) return false;
    const swarmId = swarmIdOf(record);
    if (swarmId !== undefined && this.#byId.get(swarmId).length > 0) return true;
    return this.#bySwarmId.get(record.id).some((other) => wasStarted(other.record));
  }

  #showOneOfEach(...changed: readonly (ContainerLocation | undefined)[]): void {
    for (const location of changed) {
      if (location === undefined) continue;
      for (const id of [location.record.id, swarmIdOf(location.record) ?? '']) {
        const copies = [...this.#byId.get(id), ...this.#bySwarmId.get(id)];
        if (this.#hidden.size === 0 && copies.length < 2) continue;
        for (const one of copies) this.#show(one);
      }
    }
  }

  #show(location: ContainerLocation): void {
    const isHidden = this.#isHidden(location);
    if (isHidden === this.#hidden.has(location)) return;
    if (isHidden) {
      this.#hidden.add(location);
      this.#order.remove(location);
    } else {
      this.#hidden.delete(location);
      this.#order.add(location);
    }
  }

  #link(location: ContainerLocation): void {
    const { record } = location;
    this.#order.add(location);
    this.#byId.add(record.id, location);
    this.#byName.add(record.name, location);
    const swarmId = swarmIdOf(record);
    if (swarmId !== undefined) this.#bySwarmId.add(swarmId, location);
  }

  /** Of two with the same keys. */
  #relink(before: ContainerLocation, after: ContainerLocation): void {
    const { record } = after;
    if (this.#hidden.delete(before)) this.#hidden.add(after);
    else {
      this.#order.remove(before);
      this.#order.add(after);
    }
    this.#byId.replace(record.id, before, after);
    this.#byName.replace(record.name, before, after);
    const swarmId = swarmIdOf(record);
    if (swarmId !== undefined) this.#bySwarmId.replace(swarmId, before, after);
  }

  #unlink(location: ContainerLocation): void {
    const { record } = location;
    if (!this.#hidden.delete(location)) this.#order.remove(location);
    this.#byId.remove(record.id, location);
    this.#byName.remove(record.name, location);
    const swarmId = swarmIdOf(record);
    if (swarmId !== undefined) this.#bySwarmId.remove(swarmId, location);
  }
}

/** More ids than this with one beginning are not told apart by engine. */
const maxPrefixHits = 64;

function wasStarted({ row, details }: ContainerRecord): boolean {
  return (row.State ?? details?.state) !== 'created';
}

/** Of two copies with one name: a later one that was started, or any that was started while this one is being made. */
function takesThePlaceOf(other: ContainerRecord, record: ContainerRecord): boolean {
  if (other.id === record.id || other.name !== record.name || !wasStarted(other)) return false;
  return generationOf(other) > generationOf(record) || !wasStarted(record);
}

/** As nearly every change of a container leaves them. */
function haveSameKeys(a: ContainerRecord, b: ContainerRecord): boolean {
  return a.id === b.id && a.name === b.name && swarmIdOf(a) === swarmIdOf(b);
}

/** The id that follows a container through the cluster; absent on containers that others created. */
export function swarmIdOf(record: ContainerRecord): string | undefined {
  return record.row.Labels?.[swarmIdLabel];
}

/** By what the copies of one container are known: of one that others created its own id, which its copies then bear. */
export function bearerId(record: ContainerRecord): string {
  return swarmIdOf(record) ?? record.id;
}

/** How often the container had been made anew when this copy was made. */
export function generationOf({ row }: ContainerRecord): number {
  const value = Number(row.Labels?.[generationLabel] ?? 0);
  return Number.isInteger(value) ? value : 0;
}

function ambiguousPrefix(reference: string): ApiError {
  return badRequest(`multiple IDs found with provided prefix: ${reference}`);
}

function copiesOfOne(locations: readonly ContainerLocation[]): boolean {
  const [first, ...others] = locations.map(({ record }) => bearerId(record));
  return others.every((id) => id === first);
}

/**
 * Of the copies that a node's return left behind, the one of the highest generation; the reachable one of two equals. A
 * copy that was never started does not count yet: it is being made.
 */
function currentCopy(copies: readonly ContainerLocation[]): ContainerLocation | undefined {
  return [...copies].sort(
    (a, b) =>
      Number(wasStarted(b.record)) - Number(wasStarted(a.record)) ||
      generationOf(b.record) - generationOf(a.record) ||
      reachability(b) - reachability(a) ||
      (a.record.id < b.record.id ? -1 : 1),
  )[0];
}

function reachability({ engine, record }: ContainerLocation): number {
  return (engine.state === 'healthy' ? 2 : 0) + (record.row.State === 'running' ? 1 : 0);
}
