// The calls on engines that form a swarm and change it.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ApiError } from '../../common/errors.ts';
import { goMember, isWireObject, numberMember, textMember } from '../../docker/go-member.ts';
import { swarmMember } from '../../docker/swarm-member.ts';
import type { Engine } from '../../engine/engine.ts';
import type { SwarmNode } from './swarm-plan.ts';

type SwarmRole = 'manager' | 'worker';

const port = 2377;
const listTimeoutMs = 5_000;
/** An engine gives its own attempt up after 20 s, and goes on with it unseen. */
const joinTimeoutMs = 30_000;

/** Makes the engine the first manager of a new swarm. `hosts` are the addresses of all engines. */
export async function formSwarm(engine: Engine, hosts: readonly string[], signal: AbortSignal): Promise<void> {
  const AdvertiseAddr = await advertisedAddress(engine);
  const body = { ListenAddr: listenAddress(AdvertiseAddr), AdvertiseAddr, DefaultAddrPool: [freeAddressPool(hosts)] };
  await change(engine, '/swarm/init', { body: { ...body, SubnetSize: 24 }, signal });
}

/** The managers must be healthy: an engine asks any of them. */
export async function joinSwarm(
  { engine, role }: { readonly engine: Engine; readonly role: SwarmRole },
  managers: readonly Engine[],
  signal: AbortSignal,
): Promise<void> {
  const manager = firstOf(managers);
  const path = '/swarm';
  const { body: swarm } = await manager.client.request({ method: 'GET', path, signal, timeoutMs: listTimeoutMs });
  const tokens = goMember(swarm, 'JoinTokens');
  const AdvertiseAddr = await advertisedAddress(engine);
  const body = {
    ListenAddr: listenAddress(AdvertiseAddr),
    AdvertiseAddr,
    RemoteAddrs: managers.flatMap(managerAddress),
    JoinToken: textMember(tokens, role === 'manager' ? 'Manager' : 'Worker'),
  };
  await change(engine, '/swarm/join', { body, signal });
}

/** To be used on an engine that is not in a swarm yet, only on its way into one. */
export async function leaveSwarm(engine: Engine, signal: AbortSignal): Promise<void> {
  await change(engine, '/swarm/leave', { query: { force: '1' }, signal });
}

export async function readSwarmNodes(manager: Engine, signal: AbortSignal): Promise<readonly SwarmNode[]> {
  const answer = await manager.client.request({ method: 'GET', path: '/nodes', signal, timeoutMs: listTimeoutMs });
  return Array.isArray(answer.body) ? answer.body.map(toSwarmNode) : [];
}

export async function changeRole(
  { kind, nodeId }: { readonly kind: 'promote' | 'demote'; readonly nodeId: string },
  managers: readonly Engine[],
  signal: AbortSignal,
): Promise<void> {
  const manager = firstOf(managers);
  const path = `/nodes/${encodeURIComponent(nodeId)}`;
  const { body: node } = await manager.client.request({ method: 'GET', path, signal, timeoutMs: listTimeoutMs });
  const spec = goMember(node, 'Spec');
  const version = String(numberMember(goMember(node, 'Version'), 'Index'));
  const Role: SwarmRole = kind === 'promote' ? 'manager' : 'worker';
  await change(manager, `${path}/update`, {
    body: { ...(isWireObject(spec) ? spec : {}), Role },
    query: { version },
    signal,
  });
}

/** Part of the addresses for overlays in which no engine lies; an engine in the swarm's own part would be cut off. */
export function freeAddressPool(hosts: readonly string[]): string {
  for (let first = 0; first < 256; first += 16) {
    const isUsed = hosts.some((host) => {
      const [a, b] = host.split('.').map(Number);
      return isIP(host) === 4 && a === 10 && b !== undefined && b >= first && b < first + 16;
    });
    if (!isUsed) return `10.${first}.0.0/12`;
  }
  return '10.0.0.0/8';
}

function firstOf([manager]: readonly Engine[]): Engine {
  if (manager === undefined) throw new ApiError(503, 'no manager of the swarm answers');
  return manager;
}

interface Change {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function change(engine: Engine, path: string, { body, query, signal }: Change): Promise<void> {
  try {
    await engine.client.request({ method: 'POST', path, body, query, signal, timeoutMs: joinTimeoutMs });
  } finally {
    await engine.refreshInfo(signal);
  }
}

/** Engines take a literal address only. One that only its own machine can reach is left to the engine to replace. */
async function advertisedAddress({ host }: Engine): Promise<string> {
  const { address } = await lookup(host);
  return address === '::1' || address.startsWith('127.') ? '' : address;
}

function listenAddress(advertised: string): string {
  return isIP(advertised) === 6 ? `[::]:${port}` : `0.0.0.0:${port}`;
}

function managerAddress({ info }: Engine): readonly string[] {
  const { nodeId, managers } = swarmMember(info);
  return managers.filter(({ id }) => id === nodeId).map(({ address }) => address);
}

function toSwarmNode(node: unknown): SwarmNode {
  const spec = goMember(node, 'Spec');
  const managerStatus = goMember(node, 'ManagerStatus');
  const isManager = textMember(spec, 'Role') === 'manager';
  const isReady =
    textMember(goMember(node, 'Status'), 'State') === 'ready' && textMember(spec, 'Availability') === 'active';
  return {
    id: textMember(node, 'ID'),
    isManager,
    isReachable: isManager ? textMember(managerStatus, 'Reachability') === 'reachable' : isReady,
  };
}
