// GET /system/df: what takes room, over all nodes. Engines count for each question, one question at a time: an
// engine of 20.10 refuses a second one, so questions that come meanwhile share the answer under way.
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { rowNode, shownContainerRow } from '../views/container-row.ts';
import {
  diskUsageTypes,
  parseDiskUsage,
  toDiskUsage,
  type DiskUsage,
  type NodeDiskUsage,
} from '../views/disk-usage.ts';

/** Counting walks file systems; an engine that takes longer is left out. */
const deadlineMs = 120_000;

export async function diskUsage(call: ApiCall): Promise<void> {
  const wanted = wantedTypes(call);
  const usages = await Promise.all(call.cluster.healthyEngines.map((engine) => usageOfNode(call, engine)));
  call.send(200, toDiskUsage(call.version, usages, wanted));
}

/** Everything by default; clients before 1.42 could not choose. */
function wantedTypes({ query, version }: ApiCall): ReadonlySet<string> {
  const asked = compareApiVersion(version, '1.42') < 0 ? [] : query.getAll('type');
  const types: readonly string[] = diskUsageTypes;
  for (const type of asked) if (!types.includes(type)) throw badRequest(`unknown object type: ${type}`);
  return new Set(asked.length === 0 ? types : asked);
}

async function usageOfNode(call: ApiCall, engine: Engine): Promise<NodeDiskUsage> {
  const usage = await usageOf(call, engine);
  const node = rowNode(call, engine);
  const now = Date.now();
  const containers = usage.containers.map((row) => {
    const record = engine.mirror.containers.get(row.Id) ?? { id: row.Id, name: '', row, details: undefined };
    return shownContainerRow(row, record, node, now);
  });
  return { node: node.name, usage: { ...usage, containers } };
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
    return parseDiskUsage(body);
  } catch (error) {
    logger.warn('an engine did not tell its disk usage', { engine: engine.address, error });
    return parseDiskUsage(undefined);
  }
}
