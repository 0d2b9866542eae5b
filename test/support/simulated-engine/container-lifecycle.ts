// Moves containers through their states and publishes dockerd's events in dockerd's order. Every change drops
// the cached texts, and tells the container's listeners before the events go out.
import { ApiError, badRequest, conflict } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import { requireFreeName } from './container-creation.ts';
import type { EngineState } from './engine-state.ts';
import { isObject, listAt, numberAt, objectAt, textAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { publishContainerEvent, publishNetworkEvent, publishVolumeEvent } from './lifecycle-events.ts';
import type { ContainerChange, ContainerRecord, Endpoint, OutputLine, PublishedPort } from './records.ts';

const keptOutputLines = 1000;

export function isRunning(container: ContainerRecord): boolean {
  return container.status === 'running' || container.status === 'paused';
}

/** False when it runs already. Throws when a network is unknown or a port taken; the container then stays as it was. */
export function startContainer(state: EngineState, container: ContainerRecord): boolean {
  if (container.status === 'paused') throw conflict('cannot start a paused container, try unpause instead');
  if (container.status === 'running') return false;
  requireNetworkDonor(state, container);
  const endpoints = resolveEndpoints(state, container);
  const ports = publishPorts(state, container);
  container.endpoints.clear();
  for (const [name, endpoint] of endpoints) container.endpoints.set(name, endpoint);
  container.ports = ports;
  container.status = 'running';
  container.pid = state.newPid();
  container.exitCode = 0;
  container.startedNano = state.journal.nowNano();
  container.stoppedByUser = false;
  container.texts = {};
  for (const endpoint of endpoints.values()) plug(state, container, endpoint);
  publishMounts(state, container);
  publishContainerEvent(state, container, 'start');
  if (container.stdinClosed) exitContainer(state, container, 0);
  return true;
}

/** The container's process ends. Follows the restart policy and `AutoRemove`. Nothing happens when it does not run. */
export function exitContainer(state: EngineState, container: ContainerRecord, exitCode: number): void {
  if (!isRunning(container)) return;
  const seconds = (state.journal.nowNano() - container.startedNano) / 1_000_000_000n;
  container.status = 'exited';
  container.pid = 0;
  container.exitCode = exitCode;
  container.finishedNano = state.journal.nowNano();
  container.ports = [];
  container.texts = {};
  const duration = isAtLeast(state.settings.apiVersion, '1.42') ? { execDuration: String(seconds) } : {};
  publishContainerEvent(state, container, 'die', { ...duration, exitCode: String(exitCode) });
  for (const endpoint of container.endpoints.values()) unplug(state, container, endpoint);
  publishUnmounts(state, container);
  tell(container, { kind: 'exit', exitCode });
  if (mustRestart(container)) restartByPolicy(state, container);
  else if (objectAt(container.body, 'HostConfig')['AutoRemove'] === true) destroyContainer(state, container);
}

/** False when it does not run. */
export function stopContainer(state: EngineState, container: ContainerRecord, signal: string): boolean {
  if (!isRunning(container)) return false;
  endByUser(state, container, signal);
  publishContainerEvent(state, container, 'stop');
  return true;
}

export function restartContainer(state: EngineState, container: ContainerRecord): void {
  if (isRunning(container)) stopContainer(state, container, 'SIGTERM');
  startContainer(state, container);
  publishContainerEvent(state, container, 'restart');
}

/** Only signals that end a process end the container; the others are seen as events. */
export function killContainer(state: EngineState, container: ContainerRecord, signal: string): void {
  const number = signalNumber(signal);
  if (!isRunning(container)) {
    throw conflict(`Cannot kill container: ${container.name}: Container ${container.id} is not running`);
  }
  if (endingSignals.has(number)) endByUser(state, container, signal);
  else publishContainerEvent(state, container, 'kill', { signal: String(number) });
}

export function pauseContainer(state: EngineState, container: ContainerRecord): void {
  requireRunning(container);
  if (container.status === 'paused') throw conflict(`Container ${container.id} is already paused`);
  container.status = 'paused';
  container.texts = {};
  publishContainerEvent(state, container, 'pause');
}

export function unpauseContainer(state: EngineState, container: ContainerRecord): void {
  if (container.status !== 'paused') {
    const status = isAtLeast(state.settings.apiVersion, '1.42') ? 409 : 500;
    throw new ApiError(status, `Container ${container.id} is not paused`);
  }
  container.status = 'running';
  container.texts = {};
  publishContainerEvent(state, container, 'unpause');
}

export function renameContainer(state: EngineState, container: ContainerRecord, name: string): void {
  const newName = name.replace(/^\//, '');
  if (newName === '') throw badRequest('Neither old nor new names may be empty');
  if (newName === container.name) throw badRequest('Renaming a container with the same name as its current name');
  requireFreeName(state, newName);
  const oldName = `/${container.name}`;
  state.renameContainer(container, newName);
  container.texts = {};
  publishContainerEvent(state, container, 'rename', { oldName });
}

export function updateContainer(state: EngineState, container: ContainerRecord, changes: JsonObject): void {
  container.resources = { ...container.resources, ...changes };
  container.texts = {};
  publishContainerEvent(state, container, 'update');
}

/** Anonymous volumes stay unless `withVolumes`. */
export function removeContainer(
  state: EngineState,
  container: ContainerRecord,
  { force, withVolumes }: { readonly force: boolean; readonly withVolumes: boolean },
): void {
  if (isRunning(container)) {
    if (!force) {
      throw conflict(
        `You cannot remove a running container ${container.id}. ` +
          'Stop the container before attempting removal or force remove',
      );
    }
    endByUser(state, container, 'SIGKILL');
  }
  if (!state.containers.has(container.id)) return;
  if (withVolumes) dropAnonymousVolumes(state, container);
  destroyContainer(state, container);
}

/** Appends to the log and sends to who is attached or follows. */
export function printOutput(state: EngineState, container: ContainerRecord, line: Omit<OutputLine, 'timeNano'>): void {
  const kept = { ...line, timeNano: state.journal.nowNano() };
  container.output.push(kept);
  if (container.output.length > keptOutputLines) container.output.shift();
  tell(container, { kind: 'output', line: kept });
}

export function requireRunning(container: ContainerRecord): void {
  if (!isRunning(container)) throw conflict(`Container ${container.id} is not running`);
}

/** Plugs a further network in; a running container gets its address at once. */
export function connectNetwork(
  state: EngineState,
  container: ContainerRecord,
  reference: string,
  config: JsonObject,
): void {
  const network = state.network(reference);
  if (['host', 'none'].includes(network.name)) {
    throw new ApiError(403, `container cannot be connected to ${network.name} network`);
  }
  if (container.endpoints.has(network.name)) {
    throw new ApiError(403, `endpoint with name ${container.name} already exists in network ${network.name}`);
  }
  const endpoint: Endpoint = { networkId: network.id, endpointId: '', ipAddress: '', config };
  container.endpoints.set(network.name, endpoint);
  container.texts = {};
  if (isRunning(container)) plug(state, container, endpoint);
}

export function disconnectNetwork(state: EngineState, container: ContainerRecord, reference: string): void {
  const network = state.network(reference);
  const endpoint = container.endpoints.get(network.name);
  if (!endpoint) {
    throw new ApiError(500, `container ${container.id} is not connected to network ${network.name}`);
  }
  container.endpoints.delete(network.name);
  container.texts = {};
  if (isRunning(container)) unplug(state, container, endpoint);
}

function requireNetworkDonor(state: EngineState, container: ContainerRecord): void {
  const mode = textAt(objectAt(container.body, 'HostConfig'), 'NetworkMode');
  if (mode.startsWith('container:')) state.container(mode.slice('container:'.length));
}

function resolveEndpoints(state: EngineState, container: ContainerRecord): Map<string, Endpoint> {
  const resolved = new Map<string, Endpoint>();
  for (const [reference, endpoint] of container.endpoints) {
    const network = state.network(endpoint.networkId === '' ? reference : endpoint.networkId);
    resolved.set(network.name, { ...endpoint, networkId: network.id });
  }
  return resolved;
}

function publishPorts(state: EngineState, container: ContainerRecord): readonly PublishedPort[] {
  const hostConfig = objectAt(container.body, 'HostConfig');
  const bindings = objectAt(hostConfig, 'PortBindings');
  const exposed = new Set([...Object.keys(objectAt(container.body, 'ExposedPorts')), ...Object.keys(bindings)]);
  const taken = takenPorts(state);
  return [...exposed].flatMap((key) => {
    const [portText = '', type = 'tcp'] = key.split('/');
    const privatePort = Number(portText);
    const given = listAt(bindings, key).filter(isObject);
    const wanted = given.length === 0 && hostConfig['PublishAllPorts'] === true ? [{}] : given;
    if (wanted.length === 0) return [{ privatePort, type }];
    return wanted.flatMap((binding) => {
      const hostIp = textAt(binding, 'HostIp');
      const publicPort = Number(textAt(binding, 'HostPort')) || state.newPort();
      if (taken.has(`${publicPort}/${type}`)) throw portTaken(container, hostIp, publicPort);
      const ips = hostIp === '' ? ['0.0.0.0', '::'] : [hostIp];
      return ips.map((ip) => ({ privatePort, type, publicPort, hostIp: ip }));
    });
  });
}

function takenPorts(state: EngineState): ReadonlySet<string> {
  const ports = [...state.containers.values()].flatMap((container) => container.ports);
  return new Set(
    ports.filter((port) => port.publicPort !== undefined).map((port) => `${port.publicPort ?? 0}/${port.type}`),
  );
}

function portTaken(container: ContainerRecord, hostIp: string, port: number): ApiError {
  return new ApiError(
    500,
    `driver failed programming external connectivity on endpoint ${container.name} (${container.id}): ` +
      `Bind for ${hostIp === '' ? '0.0.0.0' : hostIp}:${port} failed: port is already allocated`,
  );
}

function plug(state: EngineState, container: ContainerRecord, endpoint: Endpoint): void {
  const network = state.network(endpoint.networkId);
  const wanted = textAt(objectAt(endpoint.config, 'IPAMConfig'), 'IPv4Address');
  endpoint.endpointId = state.newId();
  endpoint.ipAddress = ['host', 'null'].includes(network.driver) ? '' : wanted || state.newAddress();
  publishNetworkEvent(state, network, 'connect', container.id);
}

function unplug(state: EngineState, container: ContainerRecord, endpoint: Endpoint): void {
  endpoint.endpointId = '';
  endpoint.ipAddress = '';
  const network = state.networks.get(endpoint.networkId);
  if (network) publishNetworkEvent(state, network, 'disconnect', container.id);
}

function publishMounts(state: EngineState, container: ContainerRecord): void {
  for (const { Name, Destination, RW, Driver = 'local' } of container.mounts) {
    if (Name === undefined) continue;
    const attributes = { container: container.id, destination: Destination, driver: Driver, propagation: '' };
    publishVolumeEvent(state, Name, 'mount', { ...attributes, 'read/write': String(RW) });
  }
}

function publishUnmounts(state: EngineState, container: ContainerRecord): void {
  for (const { Name, Driver = 'local' } of container.mounts) {
    if (Name !== undefined) publishVolumeEvent(state, Name, 'unmount', { container: container.id, driver: Driver });
  }
}

function endByUser(state: EngineState, container: ContainerRecord, signal: string): void {
  const number = signalNumber(signal);
  container.stoppedByUser = true;
  publishContainerEvent(state, container, 'kill', { signal: String(number) });
  exitContainer(state, container, 128 + number);
}

function mustRestart(container: ContainerRecord): boolean {
  if (container.stoppedByUser) return false;
  const policy = objectAt(objectAt(container.body, 'HostConfig'), 'RestartPolicy');
  const name = textAt(policy, 'Name');
  if (name === 'always' || name === 'unless-stopped') return true;
  if (name !== 'on-failure' || container.exitCode === 0) return false;
  const limit = numberAt(policy, 'MaximumRetryCount');
  return limit === 0 || container.restartCount < limit;
}

function restartByPolicy(state: EngineState, container: ContainerRecord): void {
  container.restartCount++;
  container.stdinClosed = false;
  startContainer(state, container);
}

function dropAnonymousVolumes(state: EngineState, container: ContainerRecord): void {
  for (const { Name, Driver = 'local' } of container.mounts) {
    const isShared = [...state.containers.values()].some(
      (other) => other !== container && other.mounts.some((mount) => mount.Name === Name),
    );
    if (Name === undefined || isShared || state.volumes.get(Name)?.isAnonymous !== true) continue;
    state.volumes.delete(Name);
    publishVolumeEvent(state, Name, 'destroy', { driver: Driver });
  }
}

function destroyContainer(state: EngineState, container: ContainerRecord): void {
  state.dropContainer(container);
  publishContainerEvent(state, container, 'destroy');
  tell(container, { kind: 'remove' });
}

function tell(container: ContainerRecord, change: ContainerChange): void {
  for (const listener of [...container.listeners]) listener(change);
}

function signalNumber(signal: string): number {
  const number = signalNumbers[signal.toUpperCase().replace(/^SIG/, '')] ?? Number(signal);
  if (!Number.isInteger(number) || number < 1 || number > 64) throw badRequest(`Invalid signal: ${signal}`);
  return number;
}

const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  WINCH: 28,
};

const endingSignals: ReadonlySet<number> = new Set([2, 3, 6, 9, 15]);
