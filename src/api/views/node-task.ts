// A container in the shape of a swarm-mode task, so that `docker node ps` shows what is on a node, and, in its column of
// errors, what keeps a container on a node that is being emptied.
import type { ContainerRecord } from '../../engine/mirror.ts';

export interface NodeTask {
  readonly ID: string;
  readonly Status: { readonly State: string; readonly Err?: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** `staysBecause`: why it does not leave; undefined: nothing asks it to. */
export function toNodeTask(record: ContainerRecord, nodeId: string, staysBecause: string | undefined): NodeTask {
  const { row, details } = record;
  const created = new Date(row.Created * 1000).toISOString();
  const changedMs = details?.isRunning === true ? details.startedAtMs : (details?.finishedAtMs ?? details?.startedAtMs);
  const changed = changedMs === undefined ? created : new Date(changedMs).toISOString();
  const state = row.State ?? '';
  const isActive = activeStates.has(state);
  return {
    ID: record.id,
    Version: { Index: 0 },
    CreatedAt: created,
    UpdatedAt: changed,
    Spec: { ContainerSpec: { Image: row.Image } },
    ...nameAndSlot(record),
    NodeID: nodeId,
    Status: {
      Timestamp: changed,
      State: isActive ? 'running' : (taskStates[state] ?? (details?.exitCode === 0 ? 'complete' : 'failed')),
      ...(staysBecause === undefined ? {} : { Err: staysBecause }),
      ContainerStatus: { ContainerID: record.id, ExitCode: details?.exitCode ?? 0 },
    },
    DesiredState: isActive ? 'running' : 'shutdown',
  };
}

const activeStates: ReadonlySet<string> = new Set(['running', 'paused', 'restarting']);
const taskStates: Readonly<Record<string, string>> = { created: 'ready', removing: 'remove' };

/** The client prints SERVICE.SLOT: Compose's "shop-web-2" is the second of "shop-web". */
function nameAndSlot({ name, row }: ContainerRecord): { readonly ServiceID: string; readonly Slot: number } {
  const number = row.Labels?.['com.docker.compose.container-number'] ?? '';
  const service = /^\d{1,9}$/.test(number) ? name.replace(new RegExp(`[-_]${number}$`), '') : name;
  return { ServiceID: service, Slot: service === name ? 1 : Number(number) };
}
