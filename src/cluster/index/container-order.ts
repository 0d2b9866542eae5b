// Every container of the cluster in the order of one engine's list: newest first, cut into blocks. A change makes its
// own block anew and leaves the others as they were, so what is derived from a block is good until the block goes.
import { compareText } from '../../common/compare-text.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { Identities } from '../nodes/identity.ts';
import type { ContainerBlock, ContainerLocation } from '../locations.ts';

const maxBlockLength = 128;

export class ContainerOrder {
  readonly #identities: Identities;
  readonly #removed = new Set<ContainerLocation>();
  readonly #added = new Set<ContainerLocation>();
  #blocks: readonly ContainerBlock[] = [];
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
  newestFirst(): readonly ContainerBlock[] {
    const { revision } = this.#identities;
    if (revision !== this.#identitiesRevision) this.#blocks = cut(this.#blocks.flat().sort(this.compare));
    this.#identitiesRevision = revision;
    if (this.#removed.size > 0 || this.#added.size > 0) this.#applyChanges();
    return this.#blocks;
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

  #applyChanges(): void {
    const removedFrom = new Set([...this.#removed].map((location) => this.#placeOf(location)));
    const addedTo = new Map<number, ContainerLocation[]>();
    for (const location of this.#added) {
      const place = this.#placeOf(location);
      const others = addedTo.get(place);
      if (others === undefined) addedTo.set(place, [location]);
      else others.push(location);
    }
    const blocks: ContainerBlock[] = [];
    for (const [place, block] of (this.#blocks.length === 0 ? [[]] : this.#blocks).entries()) {
      const added = addedTo.get(place) ?? [];
      if (added.length === 0 && !removedFrom.has(place)) append(blocks, block);
      else {
        const kept = block.filter((location) => !this.#removed.has(location));
        for (const part of cut(kept.concat(added).sort(this.compare))) append(blocks, part);
      }
    }
    this.#blocks = blocks;
    this.#removed.clear();
    this.#added.clear();
  }

  /** The last block that begins before `location` or with it; the first one where none does. */
  #placeOf(location: ContainerLocation): number {
    let low = 0;
    let high = this.#blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const first = this.#blocks[middle]?.[0];
      if (first !== undefined && this.compare(first, location) <= 0) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** Into blocks of about the same length. */
function cut(locations: readonly ContainerLocation[]): readonly ContainerBlock[] {
  const count = Math.ceil(locations.length / maxBlockLength);
  const length = Math.ceil(locations.length / count);
  return Array.from({ length: count }, (_, index) => locations.slice(index * length, (index + 1) * length));
}

/** Blocks that have become short are joined, lest removals leave ever more of them. */
function append(blocks: ContainerBlock[], block: ContainerBlock): void {
  const last = blocks.at(-1);
  if (last !== undefined && last.length + block.length <= maxBlockLength / 2)
    blocks[blocks.length - 1] = last.concat(block);
  else blocks.push(block);
}

/** Until the container was inspected only its second is known. */
function createdNs({ row, details }: ContainerRecord): bigint {
  return details?.createdNs ?? BigInt(row.Created) * 1_000_000_000n;
}
