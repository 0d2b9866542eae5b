// Rows of GET /containers/json as ready JSON text. All of a row but its `Status` is derived from an immutable
// record, so it is made once per record and kept beside it; `Status` ages and is put in for each answer.
import { statusText } from '../../docker/status-text.ts';
import type { ContainerRow, PortRow } from '../../docker/types.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import { isAnyIpv4, isAnyIpv6 } from './node-ip.ts';

/** The label by which `docker ps --format` shows the node; added to answers only, never to the container. */
export const nodeLabel = 'com.docker.swarm.node';

/** What a row tells of the node that has the container. */
export interface RowNode {
  readonly name: string;
  /** '' when it is not known. */
  readonly ip: string;
  readonly isHealthy: boolean;
  /** Containers are named `/node/name` only. */
  readonly prefixesNames: boolean;
}

interface RowText {
  readonly madeFor: string;
  readonly beforeStatus: string;
  readonly afterStatus: string;
}

const madeRows = new WeakMap<ContainerRecord, RowText>();

/** The row as JSON text. `sizes` are put in where the client asked for them. */
export function containerRowJson(
  record: ContainerRecord,
  node: RowNode,
  now: number,
  sizes?: Partial<ContainerRow>,
): string {
  const { beforeStatus, afterStatus } = sizes === undefined ? rowText(record, node) : makeRowText(record, node, sizes);
  return beforeStatus + JSON.stringify(rowStatus(record, node, now)) + afterStatus;
}

/** Containers of a node that does not answer stay listed, so that Compose does not take them for gone. */
function rowStatus({ row, details }: ContainerRecord, node: RowNode, now: number): string {
  if (!node.isHealthy) return 'Host Down';
  return details === undefined ? (row.Status ?? '') : statusText(details, now);
}

function rowText(record: ContainerRecord, node: RowNode): RowText {
  const known = madeRows.get(record);
  if (known?.madeFor === madeFor(node)) return known;
  const made = makeRowText(record, node);
  madeRows.set(record, made);
  return made;
}

function madeFor({ name, ip, prefixesNames }: RowNode): string {
  return `${name} ${ip} ${String(prefixesNames)}`;
}

/** The engine's row with our changes, cut at the value of `Status`, whose place among the fields is kept. */
function makeRowText(record: ContainerRecord, node: RowNode, sizes: Partial<ContainerRow> = {}): RowText {
  const { row } = record;
  const shown = {
    ...row,
    ...sizes,
    Names: shownNames(row.Names, node),
    Ports: (row.Ports ?? []).flatMap((port) => shownPort(port, node.ip)),
    Labels: { ...row.Labels, [nodeLabel]: node.name },
  };
  const fields = Object.entries(shown).filter(([field]) => field !== 'Status');
  const at = Math.max(0, Object.keys(shown).indexOf('Status'));
  const before = fields.slice(0, at).map(fieldJson).join('');
  const after = fields
    .slice(at)
    .map((field) => `,${fieldJson(field).slice(0, -1)}`)
    .join('');
  return { madeFor: madeFor(node), beforeStatus: `{${before}"Status":`, afterStatus: `${after}}` };
}

/** With a comma at the end. */
function fieldJson([name, value]: readonly [string, unknown]): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value ?? null)},`;
}

/** The plain names first, since the CLI prints the first and Compose takes service names from it. */
function shownNames(names: readonly string[], { name, prefixesNames }: RowNode): string[] {
  const prefixed = names.map((plain) => `/${name}${plain}`);
  return prefixesNames ? prefixed : [...names, ...prefixed];
}

/** "Every address" becomes the node's own, where it is known; an entry for IPv6 that would only repeat it is left out. */
function shownPort(port: PortRow, ip: string): PortRow[] {
  if (ip === '' || port.IP === undefined) return [port];
  if (isAnyIpv4(port.IP)) return [{ ...port, IP: ip }];
  return isAnyIpv6(port.IP) ? [] : [port];
}
