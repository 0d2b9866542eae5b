// Nodes for the scheduler's tests: only what a test names differs from an empty, healthy node of 4 CPUs and 8 GiB.
import { matchesReference } from '../../../../src/docker/image-reference.ts';
import type {
  ContainerChange,
  Node,
  NodeContainer,
  PlacementRequest,
  PublishedPort,
} from '../../../../src/scheduler/contracts.ts';
import { portsToReserve } from '../../../../src/scheduler/filters/port.ts';

export const gib = 1024 ** 3;

interface ContainerFacts extends Partial<NodeContainer> {
  readonly ports?: readonly PublishedPort[];
}

export interface NodeFacts {
  readonly name?: string;
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly facts?: Readonly<Record<string, string>>;
  readonly maxApiVersion?: string;
  readonly refusal?: string;
  readonly cpus?: number;
  readonly memoryGib?: number;
  readonly resources?: Readonly<Record<string, number>>;
  readonly containers?: readonly ContainerFacts[];
  readonly images?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
}

export function aNode(facts: NodeFacts = {}): TestNode {
  return new TestNode(facts);
}

/** node-1 to node-`count`. */
export function someNodes(count: number, facts: NodeFacts = {}): readonly TestNode[] {
  return Array.from({ length: count }, (_, index) => aNode({ ...facts, name: `node-${index + 1}` }));
}

interface Held {
  readonly container: NodeContainer;
  readonly ports: readonly PublishedPort[];
}

let created = 0;

class TestNode implements Node {
  readonly #facts: NodeFacts;
  readonly #held: Held[] = [];
  readonly #changes: ContainerChange[] = [];
  readonly genericResources: ReadonlyMap<string, number>;

  constructor(facts: NodeFacts) {
    this.#facts = facts;
    this.genericResources = new Map(Object.entries(facts.resources ?? {}));
    for (const container of facts.containers ?? []) this.add(container);
  }

  get id(): string {
    return this.#facts.id ?? `id-of-${this.name}`;
  }

  get name(): string {
    return this.#facts.name ?? 'node-1';
  }

  get address(): string {
    return `${this.name}:2375`;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#facts.labels ?? {};
  }

  get facts(): Readonly<Record<string, string>> {
    return this.#facts.facts ?? {};
  }

  get apiVersion(): { readonly min: string; readonly max: string } {
    return { min: '1.24', max: this.#facts.maxApiVersion ?? '1.51' };
  }

  get refusal(): string | undefined {
    return this.#facts.refusal;
  }

  get totalNanoCpus(): number {
    return (this.#facts.cpus ?? 4) * 1e9;
  }

  get totalMemoryBytes(): number {
    return (this.#facts.memoryGib ?? 8) * gib;
  }

  get reservedNanoCpus(): number {
    return this.#active().reduce((sum, { container }) => sum + container.nanoCpus, 0);
  }

  get reservedMemoryBytes(): number {
    return this.#active().reduce((sum, { container }) => sum + container.memoryBytes, 0);
  }

  get activeContainers(): number {
    return this.#active().length;
  }

  get containersRevision(): number {
    return this.#changes.length;
  }

  containersSince(revision: number): readonly ContainerChange[] {
    return this.#changes.slice(revision);
  }

  get totalContainers(): number {
    return this.#held.length;
  }

  containers(): Iterable<NodeContainer> {
    return this.#held.map(({ container }) => container);
  }

  findContainer(reference: string): NodeContainer | undefined {
    return this.#held.find(({ container }) => container.name === reference || container.id.startsWith(reference))
      ?.container;
  }

  isPortTaken(port: PublishedPort, exceptContainerId?: string): boolean {
    const others = this.#active().filter(({ container }) => container.id !== exceptContainerId);
    return others.some(({ ports }) => ports.some((held) => clashes(held, port)));
  }

  hasImage(reference: string): boolean {
    return this.#images().some((image) => matchesReference(reference, { id: image, repoTags: [image] }));
  }

  imageReferences(): Iterable<string> {
    return this.#images();
  }

  hasVolume(name: string): boolean {
    return this.#facts.volumes?.includes(name) ?? false;
  }

  hasNetwork(reference: string): boolean {
    return this.#facts.networks?.includes(reference) ?? false;
  }

  /** Of all active containers, one by one. */
  get takenPorts(): readonly PublishedPort[] {
    return this.#active().flatMap(({ ports }) => ports);
  }

  add({ ports = [], ...facts }: ContainerFacts): void {
    created += 1;
    const id = created.toString(16).padStart(64, 'c');
    const defaults = {
      id,
      name: `c${created}`,
      image: 'busybox',
      imageId: '',
      labels: {},
      isActive: true,
      nanoCpus: 0,
      memoryBytes: 0,
    };
    const container = { ...defaults, ...facts };
    this.#held.push({ container, ports });
    this.#changes.push({ container, isGone: false });
  }

  removeOldest(): void {
    const oldest = this.#held.shift();
    if (oldest !== undefined) this.#changes.push({ container: oldest.container, isGone: true });
  }

  /** As if the container of `request` ran here. */
  take(request: PlacementRequest): void {
    const { nanoCpus, memoryBytes, labels, image, deviceRequests: resources } = request;
    const name = request.name === undefined ? {} : { name: request.name };
    this.add({ nanoCpus, memoryBytes, labels, image, resources, ports: portsToReserve(request, this), ...name });
  }

  #active(): readonly Held[] {
    return this.#held.filter(({ container }) => container.isActive);
  }

  #images(): readonly string[] {
    return this.#facts.images ?? [];
  }
}

export type { TestNode };

function clashes(a: PublishedPort, b: PublishedPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === '' || b.ip === '' || a.ip === b.ip);
}
