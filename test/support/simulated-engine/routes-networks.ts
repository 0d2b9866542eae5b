// Networks of one engine. bridge, host and none are there from the start, with ids of this engine's own.
import { ApiError, badRequest, conflict } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import type { Call } from './call.ts';
import { macAddressOf } from './container-documents.ts';
import { connectNetwork, disconnectNetwork, isRunning } from './container-lifecycle.ts';
import { timeText } from './engine-state.ts';
import type { EngineState } from './engine-state.ts';
import { parseFilters, passes, passesLabels, passesNegatedLabels } from './filters.ts';
import type { Filters } from './filters.ts';
import { flagAt, objectAt, textAt, textMapAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { publishNetworkEvent } from './lifecycle-events.ts';
import type { ContainerRecord, NetworkRecord } from './records.ts';
import { route } from './router.ts';

export const networkRoutes = [
  route('GET', '/networks/?', list),
  route('POST', '/networks/create', create),
  route('POST', '/networks/prune', prune),
  route('POST', '/networks/{name}/connect', connect),
  route('POST', '/networks/{name}/disconnect', disconnect),
  route('GET', '/networks/{name}', inspect),
  route('DELETE', '/networks/{name}', remove),
];

const predefined = ['bridge', 'host', 'none'];

function list(state: EngineState, call: Call): void {
  const accepted = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const rows = [...state.networks.values()].filter((network) => isListed(state, network, filters));
  call.json(
    200,
    rows.map((network) => networkDocument(network, {})),
  );
}

function isListed(state: EngineState, network: NetworkRecord, filters: Filters): boolean {
  const isUnused = !predefined.includes(network.name) && usersOf(state, network).length === 0;
  return (
    passes(filters, 'name', (value) => network.name.includes(value)) &&
    passes(filters, 'id', (value) => network.id.startsWith(value)) &&
    passes(filters, 'driver', (value) => network.driver === value) &&
    passes(filters, 'scope', (value) => network.scope === value) &&
    passes(filters, 'type', (value) => (value === 'builtin') === predefined.includes(network.name)) &&
    passes(filters, 'dangling', (value) => ['1', 'true'].includes(value) === isUnused) &&
    passesLabels(filters, network.labels)
  );
}

function networkDocument(network: NetworkRecord, containers: JsonObject): JsonObject {
  const { body } = network;
  const config =
    network.subnet === '' ? null : [{ Subnet: network.subnet, Gateway: network.subnet.replace(/0\/\d+$/, '1') }];
  return {
    Name: network.name,
    Id: network.id,
    Created: timeText(network.createdNano),
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv6: flagAt(body, 'EnableIPv6'),
    IPAM: body['IPAM'] ?? { Driver: 'default', Options: null, Config: config },
    Internal: flagAt(body, 'Internal'),
    Attachable: flagAt(body, 'Attachable'),
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containers,
    Options: objectAt(body, 'Options'),
    Labels: network.labels,
  };
}

function inspect(state: EngineState, call: Call, name: string): void {
  const network = state.network(name);
  const entries = usersOf(state, network)
    .filter(isRunning)
    .map((container): [string, JsonObject] => {
      const { endpointId = '', ipAddress = '' } = container.endpoints.get(network.name) ?? {};
      const facts = { Name: container.name, EndpointID: endpointId, MacAddress: ipAddress && macAddressOf(ipAddress) };
      return [container.id, { ...facts, IPv4Address: ipAddress && `${ipAddress}/16`, IPv6Address: '' }];
    });
  call.json(200, networkDocument(network, Object.fromEntries<JsonObject>(entries)));
}

async function create(state: EngineState, call: Call): Promise<void> {
  const body = await call.readJson();
  const name = textAt(body, 'Name');
  if (name === '') throw badRequest('network name cannot be empty');
  if (predefined.includes(name)) throw new ApiError(403, `operation is not permitted on predefined ${name} network `);
  // Before 1.44 an engine makes a second network of the same name unless the body asks for the check.
  const mustBeUnique = isAtLeast(state.settings.apiVersion, '1.44') || flagAt(body, 'CheckDuplicate');
  const isTaken = [...state.networks.values()].some((network) => network.name === name);
  if (mustBeUnique && isTaken) throw conflict(`network with name ${name} already exists`);
  const driver = textAt(body, 'Driver') || 'bridge';
  const network = {
    id: state.newId(),
    name,
    driver,
    scope: driver === 'overlay' ? 'swarm' : 'local',
    createdNano: state.journal.nowNano(),
    subnet: state.newSubnet(),
    labels: textMapAt(body, 'Labels'),
    body,
  };
  state.networks.set(network.id, network);
  publishNetworkEvent(state, network, 'create');
  call.json(201, { Id: network.id, Warning: '' });
}

async function connect(state: EngineState, call: Call, name: string): Promise<void> {
  const body = await call.readJson();
  const network = state.network(name);
  connectNetwork(state, state.container(textAt(body, 'Container')), network.id, objectAt(body, 'EndpointConfig'));
  call.empty(200);
}

async function disconnect(state: EngineState, call: Call, name: string): Promise<void> {
  const body = await call.readJson();
  const network = state.network(name);
  disconnectNetwork(state, state.container(textAt(body, 'Container')), network.id);
  call.empty(200);
}

function remove(state: EngineState, call: Call, name: string): void {
  const network = state.network(name);
  if (predefined.includes(network.name)) {
    throw new ApiError(403, `${network.name} is a pre-defined network and cannot be removed`);
  }
  if (usersOf(state, network).some(isRunning)) {
    throw new ApiError(403, `error while removing network: network ${name} id ${network.id} has active endpoints`);
  }
  drop(state, network);
  call.empty(204);
}

function prune(state: EngineState, call: Call): void {
  const accepted = ['label', 'label!', 'until'];
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const pruned = [...state.networks.values()].filter(
    (network) =>
      !predefined.includes(network.name) &&
      !usersOf(state, network).some(isRunning) &&
      passesLabels(filters, network.labels) &&
      passesNegatedLabels(filters, network.labels),
  );
  for (const network of pruned) drop(state, network);
  state.journal.publish({ type: 'network', action: 'prune', id: '', attributes: { reclaimed: '0' } });
  call.json(200, { NetworksDeleted: pruned.length === 0 ? null : pruned.map(({ name }) => name) });
}

function drop(state: EngineState, network: NetworkRecord): void {
  state.networks.delete(network.id);
  publishNetworkEvent(state, network, 'destroy');
}

function usersOf(state: EngineState, network: NetworkRecord): readonly ContainerRecord[] {
  return [...state.containers.values()].filter(
    ({ endpoints }) => endpoints.get(network.name)?.networkId === network.id,
  );
}
