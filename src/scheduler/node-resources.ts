// What a node has besides CPU and memory, by name: "runtime/nvidia", "gpu", "device/nvidia.com/gpu=0", and the
// kinds of the engine's generic resources in lower case. The same names stand in a request's demands.
import { listMember, numberMember, textListMember, textMember } from '../docker/go-member.ts';
import type { EngineInfo } from '../docker/types.ts';
import type { ResourceDemand } from './contracts.ts';

const gpu = 'gpu';

/** From GET /info and the engine's labels: `gpu=2` says how many there are when the engine itself cannot. */
export function nodeResources(info: EngineInfo, labels: Readonly<Record<string, string>>): ReadonlyMap<string, number> {
  const resources = new Map<string, number>();
  for (const name of Object.keys(info.Runtimes ?? {})) resources.set(`runtime/${name}`, 1);
  for (const resource of info.GenericResources ?? []) {
    const named = textMember(resource.NamedResourceSpec, 'Kind');
    if (named !== '') add(resources, named, 1);
    const counted = textMember(resource.DiscreteResourceSpec, 'Kind');
    if (counted !== '') add(resources, counted, numberMember(resource.DiscreteResourceSpec, 'Value'));
  }
  for (const device of info.DiscoveredDevices ?? []) {
    if (device.ID === undefined) continue;
    resources.set(`device/${device.ID}`, 1);
    if (isGpuDevice(device.ID)) add(resources, gpu, 1);
  }
  const labelled = Number(labels[gpu]);
  if (labelled > 0) resources.set(gpu, labelled);
  if (!resources.has(gpu) && resources.has('runtime/nvidia')) resources.set(gpu, Number.POSITIVE_INFINITY);
  return resources;
}

/** What `HostConfig` asks for: `--runtime` and `--gpus`/`--device` of named kinds. */
export function resourceDemands(hostConfig: unknown): readonly ResourceDemand[] {
  const requested = deviceDemands(listMember(hostConfig, 'DeviceRequests'));
  const runtime = textMember(hostConfig, 'Runtime');
  return isNamedRuntime(runtime) ? [{ name: `runtime/${runtime}`, count: 1 }, ...requested] : requested;
}

/** Engines take containerd's own runtimes by their full names without listing them. */
function isNamedRuntime(runtime: string): boolean {
  return runtime !== '' && runtime !== 'runc' && !runtime.startsWith('io.containerd.');
}

/** What `HostConfig.DeviceRequests` ask for. */
export function deviceDemands(requests: readonly unknown[]): readonly ResourceDemand[] {
  return requests.flatMap(demandsOfRequest);
}

/** How many of `name`, of which the node has `total`, a container with that demand keeps from others. */
export function heldBy(demand: ResourceDemand, name: string, total: number): number {
  if (demand.name === name) return demand.count < 0 ? total : demand.count;
  return name === gpu && isGpuDevice(demand.name) ? demand.count : 0;
}

function demandsOfRequest(request: unknown): readonly ResourceDemand[] {
  const ids = textListMember(request, 'DeviceIDs');
  if (textMember(request, 'Driver') === 'cdi') return ids.map((id) => ({ name: `device/${id}`, count: 1 }));
  const count = ids.length > 0 ? ids.length : numberMember(request, 'Count');
  const name = deviceKind(request);
  return name === '' || count === 0 ? [] : [{ name, count }];
}

function deviceKind(request: unknown): string {
  const capabilities = listMember(request, 'Capabilities').flat();
  if (capabilities.includes(gpu)) return gpu;
  return textMember(request, 'Driver').toLowerCase();
}

function isGpuDevice(name: string): boolean {
  return /\/gpu=\d+$/.test(name);
}

function add(resources: Map<string, number>, kind: string, count: number): void {
  const name = kind.toLowerCase();
  resources.set(name, (resources.get(name) ?? 0) + count);
}
