// Sizes of containers are counted by the engines for each question; only the engines with asked-for rows are asked.
import type { ContainerLocation } from '../../cluster/locations.ts';
import type { ContainerRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';

/** Counting sizes walks file systems; an engine that takes longer leaves its rows without sizes. */
const sizeDeadlineMs = 60_000;

/** SizeRw and SizeRootFs by container id. A node that fails is left out: a list never fails because of one node. */
export async function readContainerSizes(
  call: ApiCall,
  locations: readonly ContainerLocation[],
): Promise<ReadonlyMap<string, Partial<ContainerRow>>> {
  const idsByEngine = new Map<Engine, string[]>();
  for (const { engine, record } of locations) {
    if (engine.state !== 'healthy') continue;
    idsByEngine.set(engine, [...(idsByEngine.get(engine) ?? []), record.id]);
  }
  const lists = await Promise.allSettled([...idsByEngine].map(([engine, ids]) => readSizes(engine, ids, call.signal)));
  return new Map(lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : [])));
}

async function readSizes(
  engine: Engine,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<[string, Partial<ContainerRow>][]> {
  const filters = JSON.stringify({ id: ids });
  const { body } = await engine.client.request({
    method: 'GET',
    path: '/containers/json',
    query: { all: '1', size: '1', filters },
    signal,
    timeoutMs: sizeDeadlineMs,
  });
  return (body as readonly ContainerRow[]).map(({ Id, SizeRw, SizeRootFs }) => [
    Id,
    { ...(SizeRw === undefined ? {} : { SizeRw }), ...(SizeRootFs === undefined ? {} : { SizeRootFs }) },
  ]);
}
