// The calls on single networks. A local network is its one engine's affair; one that spans nodes is looked at on
// all of them, because each engine knows only its own containers.
import { sleep } from '../../common/abort.ts';
import { ApiError, badRequest, conflict } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import { goMember, isWireObject, mapMember, textMember, withGoMember } from '../../docker/go-member.ts';
import { isPredefinedNetwork } from '../../docker/predefined-networks.ts';
import type { NetworkRow, WireObject } from '../../docker/types.ts';
import type { ContainerLocation, NetworkLocation } from '../../cluster/locations.ts';
import { askedDriverLabel } from '../../cluster/swarm-labels.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ExchangeAnswer } from '../../proxy/exchange.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import {
  askEngine,
  assertSuccess,
  callEngine,
  forwardedHeaders,
  messageOf,
  sendEngineAnswer,
  settle,
} from '../engine-call.ts';
import { fanOut, reachableEngines, successes } from '../fan-out.ts';
import type { Target } from '../route.ts';
import { rowParts } from '../views/row-parts.ts';
import { assertReachable } from './container-target.ts';

const inspectTimeoutMs = 15_000;
const changeTimeoutMs = 60_000;
const workerPauseMs = 100;
const removalPatienceMs = 15_000;

/** POST /networks/create. */
export async function createNetwork(call: ApiCall): Promise<void> {
  const body = await call.json();
  call.trace.concerns(textMember(body, 'Name'));
  if (goMember(body, 'EnableIPv4') === false) assertIpv4Optional(call);
  const { id, warning } = await call.cluster.createNetwork({
    // Engines before API 1.44 otherwise make a second network of the same name.
    body: withGoMember(body, 'CheckDuplicate', true),
    headers: forwardedHeaders(call.req),
    version: call.version,
    signal: call.signal,
  });
  call.send(201, { Id: id, Warning: warning });
}

/** GET /networks/{name}: with the containers of every node that it spans. */
export async function inspectNetwork(call: ApiCall): Promise<void> {
  const location = call.cluster.networks.resolve(networkName(call));
  const [engine] = location.engines;
  assertReachable(engine);
  const [first, ...others] = spansNodes(location) ? await readOnAll(call, location) : [];
  if (first === undefined) {
    sendEngineAnswer(call.res, await callEngine(networkTarget(engine, location.row, ''), call));
    return;
  }
  const Driver = driverFor(call, location.row) ?? first['Driver'];
  call.send(200, { ...first, Driver, Containers: mergedContainers(call, [first, ...others]) });
}

/** Compose v1 refuses a network that has not the driver which its file names: it is shown that one. */
function driverFor({ req }: ApiCall, { Labels }: NetworkRow): string | undefined {
  const isComposeV1 = req.headers['user-agent']?.startsWith('docker-compose/1.') === true;
  return isComposeV1 ? Labels?.[askedDriverLabel] : undefined;
}

/** POST /networks/{name}/connect: on the engine of the container. */
export async function connectNetwork(call: ApiCall): Promise<void> {
  const body = await call.json();
  const container = call.cluster.containers.resolve(textMember(body, 'Container'));
  call.cluster.containerCreator.stay(container.record.id);
  await changeEndpoint(call, { action: '/connect', body, container });
}

/** POST /networks/{name}/disconnect: as `connect`; with Force, an endpoint whose container is gone is looked for on every engine. */
export async function disconnectNetwork(call: ApiCall): Promise<void> {
  const body = await call.json();
  const reference = textMember(body, 'Container');
  const isForced = goMember(body, 'Force') === true;
  const container = isForced ? call.cluster.containers.find(reference) : call.cluster.containers.resolve(reference);
  if (container === undefined) await removeStaleEndpoint(call, body);
  else if (isForced && container.engine.state !== 'healthy') disconnectLater(call, container);
  else await changeEndpoint(call, { action: '/disconnect', body, container });
}

/** As one host would: it knows of no node that does not answer. */
function disconnectLater(call: ApiCall, container: ContainerLocation): void {
  const reference = networkName(call);
  const row =
    call.cluster.networks.findOnEngine(container.engine, reference) ?? call.cluster.networks.resolve(reference).row;
  call.cluster.lateDisconnects.add(container, row);
  call.sendEmpty(200);
}

/** DELETE /networks/{name}. Every node is asked for containers first, because the engine that deletes sees only its own. */
export async function removeNetwork(call: ApiCall): Promise<void> {
  const location = call.cluster.networks.resolve(networkName(call));
  assertReachable(location.engines[0]);
  const answer = await (spansNodes(location) ? removeShared : removeLocal)(call, location);
  if (answer.statusCode < 400) await settle({ settle: (signal) => untilGone(location, signal) }, call.signal);
  sendEngineAnswer(call.res, answer);
}

async function askToRemove(call: ApiCall, { engines: [engine], row }: NetworkLocation): Promise<ExchangeAnswer> {
  return await callEngine(networkTarget(engine, row, ''), call);
}

/** An engine lets go of a container's endpoint a moment after the container has stopped, and may be asked to remove both before. */
async function removeLocal(call: ApiCall, location: NetworkLocation): Promise<ExchangeAnswer> {
  const deadline = performance.now() + removalPatienceMs;
  for (;;) {
    const answer = await askToRemove(call, location);
    const mayPass = answer.statusCode === 403 && !isPredefinedNetwork(location.row.Name);
    if (!mayPass || performance.now() > deadline || call.signal.aborted) return answer;
    const containers = mergedContainers(call, await readOnAll(call, location));
    if (Object.keys(containers).length > 0) return answer;
    await sleep(workerPauseMs, call.signal);
  }
}

/** A swarm lets a network go a moment after the last container has left it, and only while it has a leader. */
async function removeShared(call: ApiCall, location: NetworkLocation): Promise<ExchangeAnswer> {
  const deadline = performance.now() + removalPatienceMs;
  for (;;) {
    const isLate = performance.now() > deadline || call.signal.aborted;
    if (await isUnused(call, location)) {
      const answer = await askToRemove(call, location);
      if (answer.statusCode < 400 || answer.statusCode === 404) return answer;
      if (isLate) throw refusedRemoval(call, answer);
    } else if (isLate) throw stillUsed(location);
    await sleep(workerPauseMs, call.signal);
  }
}

/** A swarm keeps what a lost node had on a network, whoever has disconnected it. */
function refusedRemoval({ cluster }: ApiCall, { statusCode, body }: ExchangeAnswer): ApiError {
  const refusal = messageOf(body.toString('utf8'));
  const silent = cluster.members.engines.filter((engine) => engine.state !== 'healthy');
  if (silent.length === 0) return new ApiError(statusCode, refusal);
  const names = silent.map((engine) => cluster.members.identityOf(engine).name).join(', ');
  const rule = 'what it had on the network counts until it is back or has been removed from the swarm';
  return new ApiError(statusCode, `${refusal} (no answer from ${names}: ${rule})`);
}

/** The workers of a swarm drop a network a moment after its manager. */
async function untilGone({ engines, row }: NetworkLocation, signal: AbortSignal): Promise<void> {
  const reachable = engines.filter((engine) => engine.state === 'healthy');
  for (;;) {
    await Promise.all(reachable.map((engine) => engine.refreshNetworks(signal)));
    const isGone = !reachable.some((engine) => engine.mirror.networks.has(row.Id));
    if (isGone || signal.aborted) return;
    await sleep(workerPauseMs, signal);
  }
}

function networkName(call: RequestCall): string {
  return call.params['name'] ?? '';
}

/** Predefined networks have another id on every engine. */
function networkTarget(engine: Engine, row: NetworkRow, action: string): Target {
  const reference = isPredefinedNetwork(row.Name) ? row.Name : row.Id;
  return { engine, path: `/networks/${encodeURIComponent(reference)}${action}` };
}

/** Whether several engines have this very network, or may come to have it. */
function spansNodes({ row }: NetworkLocation): boolean {
  return row.Scope !== 'local' && !isPredefinedNetwork(row.Name);
}

/** The network as each reachable engine shows it, the engine to ask first in front. */
async function readOnAll(call: ApiCall, { engines, row }: NetworkLocation): Promise<readonly WireObject[]> {
  const reachable = engines.filter((engine) => engine.state === 'healthy');
  const outcomes = await fanOut(
    call,
    reachable,
    async (engine, signal) => {
      const search = call.req.method === 'GET' ? call.search : '';
      const target = { ...networkTarget(engine, row, ''), search };
      const answer = await askEngine(target, call, { method: 'GET', body: Buffer.alloc(0), signal });
      assertSuccess(answer);
      const network: unknown = JSON.parse(answer.body.toString('utf8'));
      return isWireObject(network) ? network : {};
    },
    { timeoutMs: inspectTimeoutMs },
  );
  return successes(outcomes).map(({ value }) => value);
}

/**
 * Without the load balancers that swarm mode has on each node, and without containers that are gone: engines show both
 * for a moment after the last container has left, and clients that remove a network wait for its containers to go.
 */
function mergedContainers({ cluster }: ApiCall, networks: readonly WireObject[]): WireObject {
  const entries = networks.flatMap((network) => Object.entries(mapMember(network, 'Containers')));
  const isGone = (id: string): boolean => /^[0-9a-f]{64}$/.test(id) && cluster.containers.find(id) === undefined;
  return Object.fromEntries(entries.filter(([id]) => !id.startsWith('lb-') && !isGone(id)));
}

/** True when nothing is left on the network, false when endpoints without a container are. Throws 403 for a container. */
async function isUnused(call: ApiCall, location: NetworkLocation): Promise<boolean> {
  const endpoints = Object.keys(mergedContainers(call, await readOnAll(call, location)));
  if (endpoints.some((id) => call.cluster.containers.find(id) !== undefined)) throw stillUsed(location);
  const unseen = userOnLostNode(call, location);
  if (unseen === undefined) return endpoints.length === 0;
  const { engine, record } = unseen;
  const node = call.cluster.members.identityOf(engine).name;
  throw stillUsed(location, `: container ${record.name} on node ${node}, which does not answer`);
}

function stillUsed({ row: { Name, Id } }: NetworkLocation, by = ''): ApiError {
  return new ApiError(403, `error while removing network: network ${Name} id ${Id} has active endpoints${by}`);
}

/** A container that was on the network when its node was last heard of. */
function userOnLostNode({ cluster }: ApiCall, { row }: NetworkLocation): ContainerLocation | undefined {
  for (const engine of cluster.members.engines) {
    if (engine.state === 'healthy') continue;
    for (const record of engine.mirror.containers.values()) {
      const isUp = record.row.State !== 'exited' && record.row.State !== 'created';
      const isOnIt = isUp && rowParts(record).networks.some(({ id }) => id === row.Id);
      if (isOnIt && !cluster.lateDisconnects.has(record.id, row.Id)) return { engine, record };
    }
  }
  return undefined;
}

interface EndpointChange {
  readonly action: '/connect' | '/disconnect';
  readonly body: WireObject;
  readonly container: ContainerLocation;
}

async function changeEndpoint(call: ApiCall, { action, body, container }: EndpointChange): Promise<void> {
  const { engine, record } = container;
  assertReachable(engine);
  const target = endpointTarget(call, container, action);
  const text = JSON.stringify(withGoMember(body, 'Container', record.id));
  const answer = await askEngine(target, call, { body: Buffer.from(text), signal: call.signal });
  const refresh = async (signal: AbortSignal): Promise<void> => {
    await Promise.all([engine.refreshContainer(record.id, signal), engine.refreshNetworks(signal)]);
  };
  if (answer.statusCode < 400) await settle({ settle: refresh }, call.signal);
  sendEngineAnswer(call.res, answer);
}

/**
 * The path of the network that the call names, as the container's engine knows it. One that spans nodes comes to be on
 * an engine by being joined; until then the engine has it by the word by which the container names it, and no other.
 */
function endpointTarget(call: ApiCall, { engine, record }: ContainerLocation, action: string): Target {
  const reference = networkName(call);
  const rows = engine.mirror.networks;
  const local = rows.get(reference) ?? [...rows.values()].find(({ Name }) => Name === reference);
  if (local?.Scope === 'local') return networkTarget(engine, local, action);
  const { row, engines } = call.cluster.networks.resolve(reference);
  if (row.Scope !== 'local') {
    const word = rowParts(record).networks.some(({ name }) => name === row.Id) ? row.Id : row.Name;
    return { engine, path: `/networks/${encodeURIComponent(word)}${action}` };
  }
  if (engines.includes(engine) || isPredefinedNetwork(row.Name)) return networkTarget(engine, row, action);
  const [there, here] = [engines[0], engine].map((one) => call.cluster.members.identityOf(one).name);
  throw conflict(
    `network ${reference} is local to node ${there ?? ''}, and container ${record.name} runs on node ${here ?? ''}`,
  );
}

async function removeStaleEndpoint(call: ApiCall, body: WireObject): Promise<void> {
  const { engines, row } = call.cluster.networks.resolve(networkName(call));
  const outcomes = await fanOut(
    call,
    isPredefinedNetwork(row.Name) ? reachableEngines(call) : engines.filter((engine) => engine.state === 'healthy'),
    async (engine, signal) => {
      const target = networkTarget(engine, row, '/disconnect');
      const answer = await askEngine(target, call, { body: Buffer.from(JSON.stringify(body)), signal });
      assertSuccess(answer);
      await engine.refreshNetworks(signal);
    },
    { timeoutMs: changeTimeoutMs },
  );
  if (outcomes.some((outcome) => outcome.isDone)) {
    call.sendEmpty(200);
    return;
  }
  for (const outcome of outcomes) if (!outcome.isDone) throw outcome.error;
  assertReachable(engines[0]);
}

/** Engines before API 1.48 make an IPv4 network all the same. */
function assertIpv4Optional(call: ApiCall): void {
  for (const engine of reachableEngines(call)) {
    if (compareApiVersion(engine.apiVersion.max, '1.48') >= 0) continue;
    throw badRequest(
      `a network without IPv4 needs engines of API 1.48 or newer, and node ${call.cluster.members.identityOf(engine).name} is older`,
    );
  }
}
