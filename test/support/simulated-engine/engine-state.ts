// Everything one simulated engine knows, and how references find it. Holds no HTTP and no policy.
import { randomBytes } from 'node:crypto';
import { ApiError, badRequest, notFound } from '../../../src/common/errors.ts';
import { EventJournal } from './event-journal.ts';
import { Gate } from './gate.ts';
import { digestOf, familiarReference, repositoryOf } from './image-reference.ts';
import type {
  ContainerRecord,
  EngineSettings,
  ExecRecord,
  ImageRecord,
  NetworkRecord,
  PluginRecord,
  VolumeRecord,
} from './records.ts';

export class EngineState {
  readonly settings: EngineSettings;
  readonly journal: EventJournal;
  readonly gate = new Gate();
  readonly containers = new Map<string, ContainerRecord>();
  readonly images = new Map<string, ImageRecord>();
  readonly networks = new Map<string, NetworkRecord>();
  readonly volumes = new Map<string, VolumeRecord>();
  /** By name. */
  readonly plugins = new Map<string, PluginRecord>();
  readonly execs = new Map<string, ExecRecord>();
  /** What was put into containers, by container id and then path. */
  readonly archives = new Map<string, Map<string, Buffer>>();
  /** What ends each open event stream. */
  readonly eventStreams = new Set<() => void>();
  readonly #idsByName = new Map<string, string>();
  #lastAddress = 1;
  #lastPort = 49_152;
  #lastPid = 1000;
  #lastSubnet = 17;

  constructor(settings: EngineSettings) {
    this.settings = settings;
    this.journal = new EventJournal(settings.clockSkewMs);
    for (const [name, driver] of predefinedNetworks) this.#addPredefinedNetwork(name, driver);
  }

  addContainer(container: ContainerRecord): void {
    this.containers.set(container.id, container);
    this.#idsByName.set(container.name, container.id);
  }

  dropContainer(container: ContainerRecord): void {
    this.containers.delete(container.id);
    this.#idsByName.delete(container.name);
    this.archives.delete(container.id);
    for (const exec of this.execs.values()) if (exec.containerId === container.id) this.execs.delete(exec.id);
  }

  renameContainer(container: ContainerRecord, name: string): void {
    this.#idsByName.delete(container.name);
    container.name = name;
    this.#idsByName.set(name, container.id);
  }

  /** Undefined when the name is free. A leading slash does not count. */
  idOfName(name: string): string | undefined {
    return this.#idsByName.get(name.replace(/^\//, ''));
  }

  /** By full id, name or unique id prefix, in this order. */
  container(reference: string): ContainerRecord {
    const found = this.findContainer(reference);
    if (!found) throw notFound('container', reference);
    return found;
  }

  findContainer(reference: string): ContainerRecord | undefined {
    const exact = this.containers.get(reference) ?? this.containers.get(this.idOfName(reference) ?? '');
    if (exact || reference === '') return exact;
    const matches = [...this.containers.values()].filter(({ id }) => id.startsWith(reference));
    if (matches.length > 1) throw badRequest(`multiple IDs found with provided prefix: ${reference}`);
    return matches[0];
  }

  /** By tag, digest, id or unique id prefix. */
  findImage(reference: string): ImageRecord | undefined {
    const byId = this.images.get(reference) ?? this.images.get(`sha256:${reference}`);
    if (byId) return byId;
    const familiar = familiarReference(reference);
    const all = [...this.images.values()];
    const named = all.find(
      ({ repoTags, repoDigests }) => repoTags.includes(familiar) || repoDigests.includes(familiar),
    );
    if (named || !/^(sha256:)?[0-9a-f]{4,64}$/.test(reference)) return named;
    return all.find(({ id }) => id.startsWith(`sha256:${reference.replace(/^sha256:/, '')}`));
  }

  /** By full id, name or unique id prefix; two of one name are an error. */
  network(reference: string): NetworkRecord {
    const found = this.findNetwork(reference);
    if (!found) throw new ApiError(404, `network ${reference} not found`);
    return found;
  }

  findNetwork(reference: string): NetworkRecord | undefined {
    const byId = this.networks.get(reference);
    if (byId || reference === '') return byId;
    const all = [...this.networks.values()];
    const named = all.filter(({ name }) => name === reference);
    const matches = named.length > 0 ? named : all.filter(({ id }) => id.startsWith(reference));
    if (matches.length > 1) {
      throw badRequest(`${matches.length} matches found based on name: network ${reference} is ambiguous`);
    }
    return matches[0];
  }

  volume(name: string): VolumeRecord {
    const found = this.volumes.get(name);
    if (!found) throw new ApiError(404, `get ${name}: no such volume`);
    return found;
  }

  /** Adds an image of that name, with the id that every simulated engine gives it, or `id` where it is given. */
  addImage(reference: string, facts: Partial<ImageRecord> = {}): ImageRecord {
    const familiar = familiarReference(reference);
    const id = facts.id ?? digestOf(`image ${familiar}`);
    this.untag(familiar);
    const existing = this.images.get(id);
    const image: ImageRecord = {
      createdNano: 1_700_000_000_000_000_000n,
      sizeBytes: 4_261_502,
      labels: {},
      command: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      repoDigests: [`${repositoryOf(familiar)}@${digestOf(`manifest ${familiar}`)}`],
      ...existing,
      ...facts,
      id,
      repoTags: [...(existing?.repoTags ?? []), ...(familiar.includes('@') ? [] : [familiar])],
    };
    this.images.set(id, image);
    return image;
  }

  /** Takes the tag from the image that has it; the image stays. */
  untag(familiar: string): void {
    const holder = [...this.images.values()].find(({ repoTags }) => repoTags.includes(familiar));
    if (holder) holder.repoTags = holder.repoTags.filter((tag) => tag !== familiar);
  }

  newId(): string {
    return randomBytes(32).toString('hex');
  }

  newAddress(): string {
    this.#lastAddress++;
    return `172.17.${(this.#lastAddress >> 8) & 255}.${this.#lastAddress & 255}`;
  }

  newSubnet(): string {
    this.#lastSubnet++;
    return `172.${(this.#lastSubnet % 15) + 17}.0.0/16`;
  }

  newPort(): number {
    return ++this.#lastPort;
  }

  newPid(): number {
    return ++this.#lastPid;
  }

  #addPredefinedNetwork(name: string, driver: string): void {
    const subnet = driver === 'bridge' ? '172.17.0.0/16' : '';
    const id = this.newId();
    const createdNano = this.journal.nowNano();
    this.networks.set(id, { id, name, driver, scope: 'local', createdNano, subnet, labels: {}, body: {} });
  }
}

const predefinedNetworks = [
  ['bridge', 'bridge'],
  ['host', 'host'],
  ['none', 'null'],
] as const;

/** Docker's time text with nanoseconds; the zero time for 0. */
export function timeText(nano: bigint): string {
  if (nano === 0n) return '0001-01-01T00:00:00Z';
  const seconds = new Date(Number(nano / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nano % 1_000_000_000n).padStart(9, '0')}Z`;
}

export function toSeconds(nano: bigint): number {
  return Number(nano / 1_000_000_000n);
}
