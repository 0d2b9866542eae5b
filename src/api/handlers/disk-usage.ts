// GET /system/df: what takes room, over all nodes. Engines count for each question, one question at a time: an
// engine of 20.10 refuses a second one, so questions that come meanwhile share the answer under way.
import { badRequest } from '../../common/errors.ts';
import type { ContainerRow, ImageRow, VolumeRow } from '../../docker/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { imageRowFor, mergeImageRows } from '../views/image-rows.ts';

/** Counting walks file systems; an engine that takes longer is left out. */
const deadlineMs = 120_000;

const types = ['container', 'image', 'volume', 'build-cache'];

interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images?: readonly ImageRow[] | null;
  readonly Containers?: readonly ContainerRow[] | null;
  readonly Volumes?: readonly VolumeRow[] | null;
  readonly BuildCache?: readonly Readonly<Record<string, unknown>>[] | null;
  readonly BuilderSize?: number;
}

export async function diskUsage(call: ApiCall): Promise<void> {
  const asked = call.query.getAll('type');
  for (const type of asked) if (!types.includes(type)) throw badRequest(`unknown object type: ${type}`);
  const usages = await Promise.all(call.cluster.healthyEngines.map((engine) => usageOf(call, engine)));
  call.send(200, mergeUsages(call.version, usages, new Set(asked.length === 0 ? types : asked)));
}

const underWay = new WeakMap<Engine, Promise<DiskUsage>>();

function usageOf(call: ApiCall, engine: Engine): Promise<DiskUsage> {
  const running = underWay.get(engine);
  if (running !== undefined) return running;
  const reading = readUsage(call, engine).finally(() => underWay.delete(engine));
  underWay.set(engine, reading);
  return reading;
}

/** Not bound to the client that asked first: others may share the answer. */
async function readUsage({ logger }: ApiCall, engine: Engine): Promise<DiskUsage> {
  try {
    const { body } = await engine.client.request({ method: 'GET', path: '/system/df', timeoutMs: deadlineMs });
    return body as DiskUsage;
  } catch (error) {
    logger.warn('an engine did not tell its disk usage', { engine: engine.address, error });
    return {};
  }
}

function mergeUsages(
  version: string,
  usages: readonly DiskUsage[],
  wanted: ReadonlySet<string>,
): Record<string, unknown> {
  const collect = <T>(type: string, read: (usage: DiskUsage) => readonly T[] | null | undefined): T[] =>
    wanted.has(type) ? usages.flatMap((usage) => [...(read(usage) ?? [])]) : [];
  const sum = (read: (usage: DiskUsage) => number | undefined): number =>
    usages.reduce((total, usage) => total + (read(usage) ?? 0), 0);
  return {
    LayersSize: wanted.has('image') ? sum((usage) => usage.LayersSize) : 0,
    Images: mergeImageRows(collect('image', (usage) => usage.Images)).map((row) => imageRowFor(version, row)),
    Containers: collect('container', (usage) => usage.Containers),
    Volumes: collect('volume', (usage) => usage.Volumes),
    BuildCache: collect('build-cache', (usage) => usage.BuildCache),
    BuilderSize: wanted.has('build-cache') ? sum((usage) => usage.BuilderSize) : 0,
  };
}
