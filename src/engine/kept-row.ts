// A row of the container list as the mirror keeps it: JSON text, and beside it only the fields that indices, filters
// and placement look at all the time. A parsed row would take four times the memory of its text.
import type { ContainerRow, EndpointSettings, MountPoint, PortRow, WireObject } from '../docker/types.ts';

export class KeptRow implements ContainerRow {
  readonly [field: string]: unknown;
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Created: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly State: string;
  readonly Status: string;
  readonly #text: string;

  constructor(row: ContainerRow) {
    this.Id = row.Id;
    this.Names = row.Names;
    this.Image = row.Image;
    this.ImageID = row.ImageID;
    this.Created = row.Created;
    this.Labels = row.Labels ?? null;
    this.State = row.State ?? '';
    this.Status = row.Status ?? '';
    // The status is kept apart because it ages; its place among the fields stays.
    this.#text = JSON.stringify({ ...row, Status: '' });
  }

  get Ports(): readonly PortRow[] | null {
    return this.whole().Ports ?? null;
  }

  get Mounts(): readonly MountPoint[] | null {
    return this.whole().Mounts ?? null;
  }

  get NetworkSettings(): WireObject & { readonly Networks?: Readonly<Record<string, EndpointSettings>> | null } {
    return this.whole().NetworkSettings ?? {};
  }

  get HostConfig(): WireObject & { readonly NetworkMode?: string } {
    return this.whole().HostConfig ?? {};
  }

  /** Every field as the engine wrote it; parsed anew at each call. */
  whole(): ContainerRow {
    return { ...(JSON.parse(this.#text) as ContainerRow), Status: this.Status };
  }

  /** Whether the two differ in nothing but `Status`. */
  isSameButStatus(other: KeptRow): boolean {
    return this.#text === other.#text;
  }
}

/** The row with all of its fields as its own, to copy it with changes. */
export function wholeRow(row: ContainerRow): ContainerRow {
  return row instanceof KeptRow ? row.whole() : row;
}
