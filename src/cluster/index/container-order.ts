// Every container of the cluster in the order of one engine's list: newest first. The order is kept between calls and
// only what changed since the last one is put in its place, because sorting it all anew costs more than a whole list.
import { compareText } from '../../common/compare-text.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { Identities } from '../identity.ts';
import type { ContainerLocation } from '../locations.ts';

export class ContainerOrder {
  readonly #identities: Identities;
  readonly #removed = new Set<ContainerLocation>();
  readonly #added = new Set<ContainerLocation>();
  #sorted: readonly ContainerLocation[] = [];
  #identitiesRevision = 0;

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  add(location: ContainerLocation): void {
    this.#added.add(location);
  }

  remove(location: ContainerLocation): void {
    if (!this.#added.delete(location)) this.#removed.add(location);
  }

  /** Newest first to the nanosecond; then by node and id, so that equal moments keep their order between calls. */
  newestFirst(): readonly ContainerLocation[] {
    const { revision } = this.#identities;
    if (revision !== this.#identitiesRevision) this.#sorted = [...this.#sorted].sort(this.compare);
    this.#identitiesRevision = revision;
    if (this.#removed.size > 0) this.#sorted = this.#sorted.filter((location) => !this.#removed.has(location));
    if (this.#added.size > 0) this.#sorted = this.#merge(this.#sorted, [...this.#added].sort(this.compare));
    this.#removed.clear();
    this.#added.clear();
    return this.#sorted;
  }

  /** Negative when `a` comes first. */
  readonly compare = (a: ContainerLocation, b: ContainerLocation): number => {
    const seconds = b.record.row.Created - a.record.row.Created;
    if (seconds !== 0) return seconds;
    const [aNs, bNs] = [createdNs(a.record), createdNs(b.record)];
    if (aNs !== bNs) return aNs < bNs ? 1 : -1;
    const [aName, bName] = [this.#identities.nameOf(a.engine), this.#identities.nameOf(b.engine)];
    return compareText(aName, bName) || compareText(a.record.id, b.record.id);
  };

  #merge(kept: readonly ContainerLocation[], added: readonly ContainerLocation[]): ContainerLocation[] {
    const merged: ContainerLocation[] = [];
    let next = 0;
    for (const location of kept) {
      for (let one = added[next]; one !== undefined && this.compare(one, location) < 0; one = added[next]) {
        merged.push(one);
        next += 1;
      }
      merged.push(location);
    }
    return merged.concat(added.slice(next));
  }
}

/** Until the container was inspected only its second is known. */
function createdNs({ row, details }: ContainerRecord): bigint {
  return details?.createdNs ?? BigInt(row.Created) * 1_000_000_000n;
}
