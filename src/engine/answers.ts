// Checks that an engine's answers have the fields we rely on, and passes everything else through.
import type {
  ContainerInspect,
  ContainerRow,
  EngineInfo,
  EngineVersion,
  ImageRow,
  NetworkRow,
  VolumeRow,
  WireObject,
} from '../docker/types.ts';
import { KeptRow } from './kept-row.ts';

/** Thrown for an answer that no Docker engine gives. */
class MalformedAnswer extends Error {
  constructor(what: string) {
    super(`the engine's ${what} is not what Docker engines answer`);
    this.name = 'MalformedAnswer';
  }
}

export function parseContainerRows(body: unknown): readonly ContainerRow[] {
  const isRow = (row: WireObject): boolean => isText(row['Id']) && Array.isArray(row['Names'] ?? []);
  return listOf(body, isRow, 'container list').map((row) => {
    const named = row['Names'] === null || row['Names'] === undefined ? { ...row, Names: [] } : row;
    return new KeptRow(named as ContainerRow);
  });
}

export function parseContainerInspect(body: unknown): ContainerInspect {
  if (!isObject(body) || !isText(body['Id'])) throw new MalformedAnswer('container inspect');
  return body as ContainerInspect;
}

export function parseImageRows(body: unknown): readonly ImageRow[] {
  return listOf(body, (row) => isText(row['Id']), 'image list') as readonly ImageRow[];
}

export function parseNetworkRows(body: unknown): readonly NetworkRow[] {
  return listOf(body, (row) => isText(row['Id']) && isText(row['Name']), 'network list') as readonly NetworkRow[];
}

/** `Volumes` is null where there are none. */
export function parseVolumeRows(body: unknown): readonly VolumeRow[] {
  if (!isObject(body)) throw new MalformedAnswer('volume list');
  return listOf(body['Volumes'] ?? [], (row) => isText(row['Name']), 'volume list') as readonly VolumeRow[];
}

export function parseInfo(body: unknown): EngineInfo {
  if (!isObject(body)) throw new MalformedAnswer('info');
  return body;
}

export function parseVersion(body: unknown): EngineVersion {
  if (!isObject(body)) throw new MalformedAnswer('version');
  return body;
}

function listOf(body: unknown, isRow: (row: WireObject) => boolean, what: string): readonly WireObject[] {
  const rows: unknown = body ?? [];
  if (!Array.isArray(rows) || !rows.every((row) => isObject(row) && isRow(row))) throw new MalformedAnswer(what);
  return rows as readonly WireObject[];
}

function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
