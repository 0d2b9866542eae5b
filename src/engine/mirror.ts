// What one engine has, as last read. Records are immutable and replaced whole; a fetch that began before a
// newer one was applied, or before the container was destroyed, never overwrites what is newer.
import { isDeepStrictEqual } from 'node:util';
import { RecentMap } from '../common/recent-map.ts';
import type { ImageRow, NetworkRow, VolumeRow } from '../docker/types.ts';
import type { EngineListener } from './change.ts';
import { sameRow } from './container-record.ts';
import type { ContainerRecord } from './container-record.ts';

export type { ContainerRecord } from './container-record.ts';

/** The read side. The maps are live views: read them synchronously or copy. */
export interface Mirror {
  readonly containers: ReadonlyMap<string, ContainerRecord>;
  /** Intermediate ones too, as the engine lists them with `all`. */
  readonly images: readonly ImageRow[];
  /** By full id. */
  readonly networks: ReadonlyMap<string, NetworkRow>;
  /** By name. */
  readonly volumes: ReadonlyMap<string, VolumeRow>;
  /** Grows with every change. */
  readonly revision: number;
}

/** The moment at which a fetch began, in the order of all fetches of one engine. */
export type FetchStart = number;

/** Ids are never used twice, so a destroyed container is remembered only against fetches under way. */
const maxRemembered = 4096;
/** Longer than any fetch takes. */
const rememberedMs = 180_000;

interface Removal {
  readonly start: FetchStart;
  readonly atMs: number;
}

/** The write side, owned by the synchronisation. */
export class EngineMirror implements Mirror {
  readonly #tell: EngineListener;
  readonly #containers = new Map<string, ContainerRecord>();
  readonly #written = new Map<string, FetchStart>();
  readonly #removed = new RecentMap<string, Removal>(maxRemembered);
  readonly #listed = { images: 0, networks: 0, volumes: 0 };
  #images: readonly ImageRow[] = [];
  #networks: ReadonlyMap<string, NetworkRow> = new Map();
  #volumes: ReadonlyMap<string, VolumeRow> = new Map();
  #revision = 0;
  #clock: FetchStart = 0;

  constructor(tell: EngineListener) {
    this.#tell = tell;
  }

  get containers(): ReadonlyMap<string, ContainerRecord> {
    return this.#containers;
  }

  get images(): readonly ImageRow[] {
    return this.#images;
  }

  get networks(): ReadonlyMap<string, NetworkRow> {
    return this.#networks;
  }

  get volumes(): ReadonlyMap<string, VolumeRow> {
    return this.#volumes;
  }

  get revision(): number {
    return this.#revision;
  }

  /** To be called right before a fetch; its result is applied with what this returned. */
  beginFetch(): FetchStart {
    this.#clock += 1;
    return this.#clock;
  }

  /** False when something newer is known already and `record` was dropped. */
  putContainer(record: ContainerRecord, start: FetchStart): boolean {
    if (!this.#isNewest(record.id, start)) return false;
    const before = this.#containers.get(record.id);
    this.#written.set(record.id, start);
    if (before !== undefined && showsTheSame(before, record)) return true;
    this.#containers.set(record.id, record);
    this.#changed();
    this.#tell({ kind: 'container', id: record.id, before, after: record });
    return true;
  }

  /** A fetch did not find the container. */
  removeContainer(id: string, start: FetchStart): void {
    if (!this.#isNewest(id, start)) return;
    this.#forget(id, start);
  }

  /** The engine says that the container is destroyed: no fetch, however late, brings it back. */
  destroyContainer(id: string): void {
    this.#forget(id, Number.POSITIVE_INFINITY);
  }

  /** Applies a complete list: containers that are not in it are removed, unless they are newer than the list. */
  keepOnly(ids: ReadonlySet<string>, start: FetchStart): void {
    for (const id of [...this.#containers.keys()]) if (!ids.has(id)) this.removeContainer(id, start);
  }

  setImages(images: readonly ImageRow[], start: FetchStart): void {
    if (start <= this.#listed.images) return;
    this.#listed.images = start;
    if (isDeepStrictEqual(this.#images, images)) return;
    this.#images = images;
    this.#changed();
    this.#tell({ kind: 'images' });
  }

  setNetworks(rows: readonly NetworkRow[], start: FetchStart): void {
    if (start <= this.#listed.networks) return;
    this.#listed.networks = start;
    const networks = new Map(rows.map((row) => [row.Id, row]));
    if (isDeepStrictEqual(this.#networks, networks)) return;
    this.#networks = networks;
    this.#changed();
    this.#tell({ kind: 'networks' });
  }

  setVolumes(rows: readonly VolumeRow[], start: FetchStart): void {
    if (start <= this.#listed.volumes) return;
    this.#listed.volumes = start;
    const volumes = new Map(rows.map((row) => [row.Name, row]));
    if (isDeepStrictEqual(this.#volumes, volumes)) return;
    this.#volumes = volumes;
    this.#changed();
    this.#tell({ kind: 'volumes' });
  }

  #isNewest(id: string, start: FetchStart): boolean {
    return start > (this.#written.get(id) ?? 0) && start > (this.#removed.get(id)?.start ?? 0);
  }

  #forget(id: string, start: FetchStart): void {
    const atMs = performance.now();
    this.#removed.set(id, { start, atMs });
    this.#removed.forgetWhile((removal) => atMs - removal.atMs > rememberedMs);
    this.#written.delete(id);
    const before = this.#containers.get(id);
    if (before === undefined) return;
    this.#containers.delete(id);
    this.#changed();
    this.#tell({ kind: 'container', id, before, after: undefined });
  }

  #changed(): void {
    this.#revision += 1;
  }
}

/** Without details nobody can compute the status text, so the row's own counts then. */
function showsTheSame(before: ContainerRecord, after: ContainerRecord): boolean {
  if (!isDeepStrictEqual(before.details, after.details) || !sameRow(before.row, after.row)) return false;
  return after.details !== undefined || before.row.Status === after.row.Status;
}
