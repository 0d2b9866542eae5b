// The parts of a container's row that only few filters look at. Rows are kept as text, so these parts are taken out
// of it at the first look and kept beside the immutable record.
import { wholeRow } from '../../engine/kept-row.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import type { MountPoint, PortRow } from '../../docker/types.ts';

export interface RowParts {
  readonly ports: readonly PortRow[];
  readonly mounts: readonly MountPoint[];
  /** Empty ids where the engine has not looked the network up yet. */
  readonly networks: readonly { readonly name: string; readonly id: string }[];
}

const partsOf = new WeakMap<ContainerRecord, RowParts>();

export function rowParts(record: ContainerRecord): RowParts {
  const known = partsOf.get(record);
  if (known !== undefined) return known;
  const { Ports, Mounts, NetworkSettings } = wholeRow(record.row);
  const networks = Object.entries(NetworkSettings?.Networks ?? {});
  const parts = {
    ports: Ports ?? [],
    mounts: Mounts ?? [],
    networks: networks.map(([name, { NetworkID: id = '' }]) => ({ name, id })),
  };
  partsOf.set(record, parts);
  return parts;
}
