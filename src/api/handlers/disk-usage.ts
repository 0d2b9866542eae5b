// GET /system/df: what takes room, over all nodes. Engines count for each question, one question at a time: an
// engine of 20.10 refuses a second one, so questions that come meanwhile share the answer under way.
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { markPartial } from '../silent-nodes.ts';
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
  const engines = call.cluster.members.healthyEngines;
  const usages = await Promise.all(engines.map((engine) => usageOfNode(call, engine)));
  markPartial(
    call,
    engines.filter((_, index) => usages[index] === undefined),
  );
  const told = usages.filter((usage) => usage !== undefined);
  call.send(200, toDiskUsage(call.version, told, wanted));
}

/** Everything by default; clients before 1.42 could not choose. */
function wantedTypes({ query, version }: ApiCall): ReadonlySet<string> {
  const asked = compareApiVersion(version, '1.42') < 0 ? [] : query.getAll('type');
  const types: readonly string[] = diskUsageTypes;
  for (const type of asked) if (!types.includes(type)) throw badRequest(`unknown object type: ${type}`);
  return new Set(asked.length === 0 ? types : asked);
}

async function usageOfNode(call: ApiCall, engine: Engine): Promise<NodeDiskUsage | undefined> {
  const usage = await usageOf(call, engine);
  if (usage === undefined) return undefined;
  const node = rowNode(call, engine);
  const now = Date.now();
  const containers = usage.containers.map((row) => {
    const record = engine.mirror.containers.get(row.Id) ?? { id: row.Id, name: '', row, details: undefined };
    return shownContainerRow(row, record, node, now);
  });
  return { node: node.name, usage: { ...usage, containers } };
}

const underWay = new WeakMap<Engine, Promise<DiskUsage | undefined>>();

function usageOf(call: ApiCall, engine: Engine): Promise<DiskUsage | undefined> {
  const running = underWay.get(engine);
  if (running !== undefined) return running;
  const reading = readUsage(call, engine).finally(() => underWay.delete(engine));
  underWay.set(engine, reading);
  return reading;
}

/** Undefined when the engine did not tell. Not bound to the client that asked first: others may share the answer. */
async function readUsage({ logger }: ApiCall, engine: Engine): Promise<DiskUsage | undefined> {
  try {
    const { body } = await engine.client.request({ method: 'GET', path: '/system/df', timeoutMs: deadlineMs });
    return parseDiskUsage(body);
  } catch (error) {
    logger.warn('an engine did not tell its disk usage', { engine: engine.address, error });
    return undefined;
  }
}
