// Sizes of containers are counted by the engines for each question; only the engines with asked-for rows are asked.
import type { ContainerLocation } from '../../cluster/locations.ts';
import { parseContainerRows } from '../../engine/answers.ts';
import type { Engine } from '../../engine/engine.ts';
import { wholeRow } from '../../engine/kept-row.ts';
import type { ApiCall } from '../api-call.ts';

/** Fields of a row; an engine leaves out what is 0. */
export interface ContainerSize {
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
}

/** By container id. */
export type ContainerSizes = ReadonlyMap<string, ContainerSize>;

/** Counting sizes walks file systems; an engine that takes longer leaves its rows without sizes. */
const sizeDeadlineMs = 60_000;

/** More ids than these do not fit well into a query string; the engine counts all its containers then. */
const maxNamedIds = 64;

/** A node that fails is left out: a list never fails because of one node. */
export async function readContainerSizes(
  call: ApiCall,
  locations: readonly ContainerLocation[],
): Promise<ContainerSizes> {
  const idsByEngine = new Map<Engine, string[]>();
  for (const { engine, record } of locations) {
    if (engine.state !== 'healthy') continue;
    const ids = idsByEngine.get(engine);
    if (ids === undefined) idsByEngine.set(engine, [record.id]);
    else ids.push(record.id);
  }
  const lists = await Promise.allSettled([...idsByEngine].map(([engine, ids]) => readSizes(engine, ids, call.signal)));
  return new Map(lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : [])));
}

async function readSizes(
  engine: Engine,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<[string, ContainerSize][]> {
  const filters = ids.length > maxNamedIds ? {} : { filters: JSON.stringify({ id: ids }) };
  const { body } = await engine.client.request({
    method: 'GET',
    path: '/containers/json',
    query: { all: '1', size: '1', ...filters },
    signal,
    timeoutMs: sizeDeadlineMs,
  });
  return parseContainerRows(body).map((row) => {
    const { Id, SizeRw, SizeRootFs } = wholeRow(row);
    return [Id, { ...(SizeRw === undefined ? {} : { SizeRw }), ...(SizeRootFs === undefined ? {} : { SizeRootFs }) }];
  });
}
