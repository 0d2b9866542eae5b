// One container of an engine, as last read. Records are immutable; a change makes a new one.
import { isDeepStrictEqual } from 'node:util';
import type { ContainerRow } from '../docker/types.ts';
import type { ContainerDetails } from './container-details.ts';
import { KeptRow } from './kept-row.ts';

export interface ContainerRecord {
  readonly id: string;
  /** Without the leading slash; never the alias of a link. */
  readonly name: string;
  /** As the engine wrote it. Its `Status` is as old as the record: text such as "Up 5 minutes" alone makes no new record. */
  readonly row: ContainerRow;
  /** Absent while the engine cannot inspect the container. */
  readonly details: ContainerDetails | undefined;
}

/** The container's name in `Names`, where a link adds entries such as "/web/db". */
export function containerName(row: ContainerRow): string {
  const names = row.Names.map((name) => name.replace(/^\//, ''));
  return names.find((name) => !name.includes('/')) ?? names[0] ?? '';
}

/** Whether two rows differ in nothing but the age in their `Status`. */
export function sameRow(before: ContainerRow, after: ContainerRow): boolean {
  if (before instanceof KeptRow && after instanceof KeptRow) return before.isSameButStatus(after);
  return isDeepStrictEqual({ ...before, Status: '' }, { ...after, Status: '' });
}
