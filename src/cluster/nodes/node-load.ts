// What a node carries: its containers and the creates under way, with their sums kept as they come and go. Nothing
// here is ever counted anew from the whole, so a placement costs the same on a full node as on an empty one.
import type { ContainerChange, NodeContainer, PublishedPort } from '../../scheduler/contracts.ts';

export interface LoadEntry {
  readonly container: NodeContainer;
  /** The ports it holds or is about to hold; empty for a stopped container. */
  readonly ports: readonly PublishedPort[];
  /** A container that was created and not started gives its ports up then; Infinity for all others. */
  readonly portsHeldUntilMs: number;
}

/** So many changes are remembered for those who count by them. */
const mostChanges = 16;

export class NodeLoad {
  readonly #entries = new Map<string, LoadEntry>();
  readonly #idsByName = new Map<string, string>();
  readonly #ports = new Map<string, readonly PortHolder[]>();
  /** The latest ones, the newest last. */
  readonly #changes: ContainerChange[] = [];
  #revision = 0;
  #active = 0;
  #nanoCpus = 0;
  #memoryBytes = 0;

  /** Changes whenever `containers` would answer something else. */
  get revision(): number {
    return this.#revision;
  }

  /** What changed since `revision` was that; undefined when it is too long ago. */
  since(revision: number): readonly ContainerChange[] | undefined {
    const count = this.#revision - revision;
    return count >= 0 && count <= this.#changes.length ? this.#changes.slice(this.#changes.length - count) : undefined;
  }

  get activeContainers(): number {
    return this.#active;
  }

  get totalContainers(): number {
    return this.#entries.size;
  }

  get nanoCpus(): number {
    return this.#nanoCpus;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  get(id: string): LoadEntry | undefined {
    return this.#entries.get(id);
  }

  named(name: string): LoadEntry | undefined {
    const id = this.#idsByName.get(name);
    return id === undefined ? undefined : this.#entries.get(id);
  }

  *containers(): Iterable<NodeContainer> {
    for (const { container } of this.#entries.values()) yield container;
  }

  /** Counts `entry` in, instead of the entry of the same id if there is one. */
  put(entry: LoadEntry): void {
    const { container } = entry;
    this.remove(container.id);
    this.#entries.set(container.id, entry);
    if (container.name !== '') this.#idsByName.set(container.name, container.id);
    for (const port of entry.ports) this.#hold(port, entry);
    this.#count(container, 1);
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    if (this.#idsByName.get(entry.container.name) === id) this.#idsByName.delete(entry.container.name);
    for (const port of entry.ports) this.#letGo(port, id);
    this.#count(entry.container, -1);
  }

  /** Whether anyone but `exceptId` holds the port on an address that overlaps. */
  isPortTaken(port: PublishedPort, nowMs: number, exceptId?: string): boolean {
    const holders = this.#ports.get(portKey(port)) ?? [];
    return holders.some((holder) => holder.id !== exceptId && holder.untilMs > nowMs && overlaps(holder.ip, port.ip));
  }

  #hold(port: PublishedPort, { container, portsHeldUntilMs }: LoadEntry): void {
    const key = portKey(port);
    const holder = { id: container.id, ip: port.ip, untilMs: portsHeldUntilMs };
    this.#ports.set(key, [...(this.#ports.get(key) ?? []), holder]);
  }

  #letGo(port: PublishedPort, id: string): void {
    const key = portKey(port);
    const rest = (this.#ports.get(key) ?? []).filter((holder) => holder.id !== id);
    if (rest.length === 0) this.#ports.delete(key);
    else this.#ports.set(key, rest);
  }

  #count(container: NodeContainer, sign: 1 | -1): void {
    this.#revision += 1;
    this.#changes.push({ container, isGone: sign === -1 });
    if (this.#changes.length > mostChanges) this.#changes.shift();
    if (!container.isActive) return;
    this.#active += sign;
    this.#nanoCpus += sign * container.nanoCpus;
    this.#memoryBytes += sign * container.memoryBytes;
  }
}

interface PortHolder {
  readonly id: string;
  readonly ip: string;
  readonly untilMs: number;
}

/** Whether `port` is one of `taken`, on an address that overlaps. */
export function isAmong(taken: readonly PublishedPort[], { ip, port, protocol }: PublishedPort): boolean {
  return taken.some((other) => other.port === port && other.protocol === protocol && overlaps(other.ip, ip));
}

const anyAddress: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

function overlaps(a: string, b: string): boolean {
  return a === b || anyAddress.has(a) || anyAddress.has(b);
}

function portKey({ port, protocol }: PublishedPort): string {
  return `${port}/${protocol}`;
}
