// What filters ask of a block of the container list before they look at its containers, which cost a look into memory
// each. Derived from an immutable block at the first question and kept beside it.
import type { ContainerBlock, ContainerLocation } from '../../cluster/locations.ts';

class BlockFacts {
  readonly #block: ContainerBlock;
  #up: number | undefined;
  #names: string | undefined;
  #labels: ReadonlyMap<string, ReadonlySet<string>> | undefined;

  constructor(block: ContainerBlock) {
    this.#block = block;
  }

  /** How many are shown without `all`. */
  get up(): number {
    return (this.#up ??= this.#block.filter(isUp).length);
  }

  /** Whether `text` is part of a name, which has its slash in front. True for some texts that are not. */
  mayHaveName(text: string): boolean {
    this.#names ??= this.#block.flatMap(({ record }) => record.row.Names).join('\n');
    return this.#names.includes(text);
  }

  /** `wanted` is `key` or `key=value`. */
  hasLabel(wanted: string): boolean {
    this.#labels ??= labelsOf(this.#block);
    const equals = wanted.indexOf('=');
    if (equals === -1) return this.#labels.has(wanted);
    return this.#labels.get(wanted.slice(0, equals))?.has(wanted.slice(equals + 1)) === true;
  }
}

const known = new WeakMap<ContainerBlock, BlockFacts>();

export function blockFacts(block: ContainerBlock): BlockFacts {
  let facts = known.get(block);
  if (facts === undefined) known.set(block, (facts = new BlockFacts(block)));
  return facts;
}

/** Running, paused or restarting. */
export function isUp({ record }: ContainerLocation): boolean {
  const { State: state } = record.row;
  return state === 'running' || state === 'paused' || state === 'restarting';
}

function labelsOf(block: ContainerBlock): ReadonlyMap<string, ReadonlySet<string>> {
  const labels = new Map<string, Set<string>>();
  for (const { record } of block) {
    for (const [key, value] of Object.entries(record.row.Labels ?? {})) {
      const values = labels.get(key);
      if (values === undefined) labels.set(key, new Set([value]));
      else values.add(value);
    }
  }
  return labels;
}
