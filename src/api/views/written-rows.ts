// Rows of the container list as ready bytes. A row is derived from an immutable record once and copied from then on,
// with the `Status` of the moment; a block whose statuses have not changed since is not even copied.
import type { ContainerBlock, ContainerLocation } from '../../cluster/locations.ts';
import { statusHoldsUntilMs } from '../../docker/status-text.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerRecord } from '../../engine/mirror.ts';
import { rowStatus, shownFields } from './container-row.ts';
import type { RowNode } from './container-row.ts';

/** How rows tell their nodes. */
export interface RowNodes {
  of(engine: Engine): RowNode;
  /** Another one when `of` may answer something else. */
  readonly revision: string;
}

interface WrittenBlock {
  readonly bytes: Buffer;
  readonly nodesRevision: string;
  readonly holdsFromMs: number;
  readonly holdsUntilMs: number;
}

/** Where a row was written last: bytes from `start` to `end`, with its status somewhere among them. */
interface WrittenRow {
  readonly node: RowNode;
  readonly bytes: Buffer;
  readonly start: number;
  readonly statusStart: number;
  readonly statusEnd: number;
  readonly end: number;
}

const writtenBlocks = new WeakMap<ContainerBlock, WrittenBlock>();
const writtenRows = new WeakMap<ContainerRecord, WrittenRow>();

/** The rows as JSON texts, each with a comma in front. Not to be changed: the next caller may get the same bytes. */
export function blockBytes(block: ContainerBlock, nodes: RowNodes, nowMs: number): Buffer {
  const known = writtenBlocks.get(block);
  const isCurrent = known?.nodesRevision === nodes.revision && known.holdsFromMs <= nowMs && nowMs < known.holdsUntilMs;
  if (isCurrent) return known.bytes;
  const { bytes, rows } = write(block, nodes, nowMs);
  // From here on they are copied from this block, so that the bytes of an older one can go.
  for (const [record, row] of rows) writtenRows.set(record, row);
  const holdsUntilMs = block.reduce((until, one) => Math.min(until, holdsUntil(one, nodes, nowMs)), Infinity);
  writtenBlocks.set(block, { bytes, nodesRevision: nodes.revision, holdsFromMs: nowMs, holdsUntilMs });
  return bytes;
}

/** As `blockBytes`, of any containers. */
export function rowBytes(locations: readonly ContainerLocation[], nodes: RowNodes, nowMs: number): Buffer {
  return write(locations, nodes, nowMs).bytes;
}

interface Written {
  readonly bytes: Buffer;
  readonly rows: readonly (readonly [ContainerRecord, WrittenRow])[];
}

function write(locations: readonly ContainerLocation[], nodes: RowNodes, nowMs: number): Written {
  const parts = locations.map(({ engine, record }) => {
    const node = nodes.of(engine);
    return { record, row: writtenRow(record, node), status: JSON.stringify(rowStatus(record, node, nowMs)) };
  });
  const bytes = Buffer.allocUnsafeSlow(parts.reduce((length, { row, status }) => length + lengthOf(row, status), 0));
  let at = 0;
  const rows = parts.map(({ record, row, status }) => {
    const start = at + bytes.write(',', at);
    const statusStart = start + row.bytes.copy(bytes, start, row.start, row.statusStart);
    const statusEnd = statusStart + bytes.write(status, statusStart);
    at = statusEnd + row.bytes.copy(bytes, statusEnd, row.statusEnd, row.end);
    return [record, { node: row.node, bytes, start, statusStart, statusEnd, end: at }] as const;
  });
  return { bytes, rows };
}

function lengthOf({ start, statusStart, statusEnd, end }: WrittenRow, status: string): number {
  return 1 + (statusStart - start) + Buffer.byteLength(status) + (end - statusEnd);
}

function writtenRow(record: ContainerRecord, node: RowNode): WrittenRow {
  const known = writtenRows.get(record);
  if (known !== undefined && namesTheSame(known.node, node)) return known;
  const made = { node, ...toBytes(record, node) };
  writtenRows.set(record, made);
  return made;
}

function namesTheSame(a: RowNode, b: RowNode): boolean {
  return a === b || (a.name === b.name && a.host === b.host && a.prefixesNames === b.prefixesNames);
}

/** The place of `Status` among the fields is kept. */
function toBytes(record: ContainerRecord, node: RowNode): Omit<WrittenRow, 'node'> {
  const bytes = Buffer.from(JSON.stringify({ ...shownFields(record.row, node), Status: '\u0000status' }));
  // A control character is escaped only there, so this is found at the field and nowhere else.
  const statusStart = bytes.indexOf(`"Status":${statusMark}`) + '"Status":'.length;
  return { bytes, start: 0, statusStart, statusEnd: statusStart + statusMark.length, end: bytes.length };
}

/** As it stands in the text. */
const statusMark = JSON.stringify('\u0000status');

function holdsUntil({ engine, record }: ContainerLocation, nodes: RowNodes, nowMs: number): number {
  const { details } = record;
  return details === undefined || !nodes.of(engine).isHealthy ? Infinity : statusHoldsUntilMs(details, nowMs);
}
