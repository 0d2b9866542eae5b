// Waits until a manager knows everything: all nodes healthy, all containers counted and listed, all their memory
// reserved.
import { setTimeout as delay } from 'node:timers/promises';
import type { DockerAddress } from './docker-address.ts';

export interface ViewPlan {
  /** Throws when it is in vain to wait. */
  readonly assertRunning: () => void;
  readonly nodes: number;
  readonly containers: number;
  readonly patienceSeconds: number;
}

export interface View {
  /** From the beginning of the wait until each was true. */
  readonly listedMs: number;
  readonly completeMs: number;
  /** Length of the whole list's answer. */
  readonly listBytes: number;
}

/** Throws when the view is not complete in time. */
export async function completeView(api: DockerAddress, plan: ViewPlan, sinceMs: number): Promise<View> {
  let listedMs: number | undefined;
  let last = 'no answer';
  while (performance.now() - sinceMs < plan.patienceSeconds * 1000) {
    plan.assertRunning();
    try {
      const { counted, reserved } = await readInfo(api);
      last = `${counted} containers, ${reserved} nodes with their resources`;
      if (counted >= plan.nodes * plan.containers) listedMs ??= performance.now() - sinceMs;
      if (listedMs !== undefined && reserved >= plan.nodes) {
        const completeMs = performance.now() - sinceMs;
        return { listedMs, completeMs, listBytes: await listBytes(api, plan) };
      }
    } catch (error) {
      last = String(error);
    }
    await delay(250);
  }
  throw new Error(`the view is not complete after ${plan.patienceSeconds} s: ${last}`);
}

/** The seeded containers have 64 MiB each, so a node is known when that much is reserved for each of them. */
async function readInfo(api: DockerAddress): Promise<{ readonly counted: number; readonly reserved: number }> {
  const info = (await api.json('GET', '/info')) as {
    readonly Containers: number;
    readonly SystemStatus?: readonly (readonly [string, string])[];
  };
  let containers = 0;
  let reserved = 0;
  for (const [label, value] of info.SystemStatus ?? []) {
    if (label.endsWith(' Containers')) containers = Number.parseInt(value, 10);
    if (label.endsWith(' Reserved Memory') && containers > 0) {
      // Three or four digits are shown, so the last container may be lost in rounding.
      if (parseBytes(value) >= containers * 64 * 1024 ** 2 * 0.99) reserved += 1;
    }
  }
  return { counted: info.Containers, reserved };
}

function parseBytes(text: string): number {
  const [, digits = '0', unit = 'B'] = /^([\d.]+)\s*(B|KiB|MiB|GiB|TiB)/.exec(text) ?? [];
  return Number(digits) * 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(unit);
}

async function listBytes(api: DockerAddress, { nodes, containers }: ViewPlan): Promise<number> {
  const { body } = await api.call('GET', '/containers/json?all=1');
  const rows = JSON.parse(body.toString('utf8')) as readonly unknown[];
  if (rows.length < nodes * containers) throw new Error(`only ${rows.length} containers are listed`);
  return body.length;
}
