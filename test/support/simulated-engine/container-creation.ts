// Makes a container out of a create body, with the refusals of a real engine in its order. The body itself is
// kept as it came; defaults are only added where a document is built from it.
import { badRequest, conflict, notFound } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import type { EngineState } from './engine-state.ts';
import { familiarReference } from './image-reference.ts';
import { flagAt, isObject, listAt, objectAt, textAt, textMapAt, textsAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { publishContainerEvent, publishVolumeEvent } from './lifecycle-events.ts';
import type { ContainerRecord, Endpoint, ImageRecord, MountPoint, VolumeRecord } from './records.ts';

export interface ContainerCreation {
  /** Empty for a name made up by the engine. */
  readonly name: string;
  readonly body: JsonObject;
  readonly bodyText?: string;
}

/** The new container, in state created; publishes its events. Throws what the engine answers. */
export function createContainer(state: EngineState, creation: ContainerCreation): ContainerRecord {
  const image = requireImage(state, creation.body);
  requireCommand(creation.body, image);
  requireSingleEndpoint(state, creation.body);
  requireFreeName(state, creation.name);
  requireReferences(state, creation.body);
  const id = state.newId();
  const name = creation.name === '' ? madeUpName(id) : creation.name.replace(/^\//, '');
  const container = newContainer(state, { ...creation, name }, image, id);
  state.addContainer(container);
  publishContainerEvent(state, container, 'create');
  return container;
}

/** Running containers named after the engine, without events, for clusters of thousands. */
export function seedContainers(state: EngineState, count: number, body: JsonObject): void {
  const image = requireImage(state, body);
  const template = newContainer(state, { name: '', body }, image, '');
  for (let index = 1; index <= count; index++) {
    const createdNano = state.journal.nowNano();
    const endpoints = [...template.endpoints].map(([name, endpoint]): [string, Endpoint] => [
      name,
      { ...endpoint, endpointId: state.newId(), ipAddress: state.newAddress() },
    ]);
    state.addContainer({
      ...template,
      id: state.newId(),
      name: `${state.settings.name}-seed-${index}`,
      createdNano,
      status: 'running',
      startedNano: createdNano,
      pid: state.newPid(),
      endpoints: new Map(endpoints),
      output: [],
      listeners: new Set(),
      texts: {},
    });
  }
}

/** The volume of that name, made with its event when there is none. */
export function ensureVolume(
  state: EngineState,
  name: string,
  facts: Partial<Omit<VolumeRecord, 'name'>> = {},
): VolumeRecord {
  const existing = state.volumes.get(name);
  if (existing) return existing;
  const createdNano = state.journal.nowNano();
  const volume = { driver: 'local', labels: {}, options: {}, isAnonymous: false, ...facts, name, createdNano };
  state.volumes.set(name, volume);
  publishVolumeEvent(state, volume.name, 'create', { driver: volume.driver });
  return volume;
}

/** Where the local driver keeps a volume. */
export function mountpointOf(volumeName: string): string {
  return `/var/lib/docker/volumes/${volumeName}/_data`;
}

/** Throws what the engine answers to a rename or create with that name. */
export function requireFreeName(state: EngineState, name: string): void {
  if (name === '') return;
  if (!/^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw badRequest(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  const holder = state.idOfName(name);
  if (holder === undefined) return;
  throw conflict(
    `Conflict. The container name "/${name.replace(/^\//, '')}" is already in use by container "${holder}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  );
}

function requireImage(state: EngineState, body: JsonObject): ImageRecord {
  const reference = textAt(body, 'Image');
  if (reference === '') throw badRequest('No command specified');
  const image = state.findImage(reference);
  if (!image) throw notFound('image', familiarReference(reference));
  return image;
}

function requireCommand(body: JsonObject, image: ImageRecord): void {
  const given = [...textsAt(body, 'Entrypoint'), ...textsAt(body, 'Cmd'), ...image.command];
  if (given.length === 0) throw badRequest('No command specified');
}

function requireSingleEndpoint(state: EngineState, body: JsonObject): void {
  const names = Object.keys(objectAt(objectAt(body, 'NetworkingConfig'), 'EndpointsConfig'));
  if (names.length < 2 || isAtLeast(state.settings.apiVersion, '1.44')) return;
  throw badRequest(`Container cannot be connected to network endpoints: ${names.sort().join(', ')}`);
}

function requireReferences(state: EngineState, body: JsonObject): void {
  const hostConfig = objectAt(body, 'HostConfig');
  const modes = [textAt(hostConfig, 'IpcMode'), textAt(hostConfig, 'PidMode')];
  const shared = modes.filter((mode) => mode.startsWith('container:')).map((mode) => mode.slice('container:'.length));
  const donors = textsAt(hostConfig, 'VolumesFrom').map((text) => text.replace(/:(ro|rw|z|Z)$/, ''));
  for (const reference of [...donors, ...shared]) {
    if (!state.findContainer(reference)) throw badRequest(`No such container: ${reference}`);
  }
  for (const link of textsAt(hostConfig, 'Links')) {
    const target = link.split(':')[0] ?? link;
    if (state.findContainer(target)) continue;
    throw badRequest(`could not get container for ${target}: No such container: ${target}`);
  }
}

function newContainer(
  state: EngineState,
  creation: ContainerCreation,
  image: ImageRecord,
  id: string,
): ContainerRecord {
  const { body } = creation;
  const entrypoint = textsAt(body, 'Entrypoint');
  const command = textsAt(body, 'Cmd');
  return {
    ...creation,
    id,
    createdNano: state.journal.nowNano(),
    imageReference: textAt(body, 'Image'),
    imageId: image.id,
    command: [...entrypoint, ...(command.length > 0 || entrypoint.length > 0 ? command : image.command)],
    env: mergeEnv(textsAt(body, 'Env'), image.env),
    labels: { ...image.labels, ...textMapAt(body, 'Labels') },
    tty: flagAt(body, 'Tty'),
    resources: {},
    status: 'created',
    pid: 0,
    exitCode: 0,
    startedNano: 0n,
    finishedNano: 0n,
    restartCount: 0,
    stdinClosed: false,
    stoppedByUser: false,
    mounts: mountsOf(state, body),
    endpoints: endpointsOf(state, body),
    ports: [],
    output: [],
    listeners: new Set(),
    texts: {},
  };
}

function mergeEnv(own: readonly string[], inherited: readonly string[]): readonly string[] {
  const names = new Set(own.map((entry) => entry.split('=')[0]));
  return [...own, ...inherited.filter((entry) => !names.has(entry.split('=')[0]))];
}

function mountsOf(state: EngineState, body: JsonObject): readonly MountPoint[] {
  const hostConfig = objectAt(body, 'HostConfig');
  const byDestination = new Map<string, MountPoint>();
  const add = (mount: MountPoint): unknown => byDestination.set(mount.Destination, mount);
  for (const reference of textsAt(hostConfig, 'VolumesFrom')) {
    const donor = state.findContainer(reference.replace(/:(ro|rw|z|Z)$/, ''));
    donor?.mounts.forEach(add);
  }
  textsAt(hostConfig, 'Binds').forEach((bind) => add(mountOfBind(state, bind)));
  listAt(hostConfig, 'Mounts')
    .filter(isObject)
    .forEach((mount) => add(mountOfSpec(state, mount)));
  for (const destination of Object.keys(objectAt(body, 'Volumes'))) {
    if (!byDestination.has(destination)) add(mountOfVolume(anonymousVolume(state), destination, ''));
  }
  return [...byDestination.values()];
}

function mountOfBind(state: EngineState, bind: string): MountPoint {
  const [source = '', destination = '', options = ''] = bind.split(':');
  if (!source.startsWith('/')) return mountOfVolume(ensureVolume(state, source), destination, options);
  const isWritable = !options.split(',').includes('ro');
  return bindMount(source, destination, options, isWritable);
}

function mountOfSpec(state: EngineState, mount: JsonObject): MountPoint {
  const source = textAt(mount, 'Source');
  const destination = textAt(mount, 'Target');
  const mode = flagAt(mount, 'ReadOnly') ? 'ro' : '';
  if (textAt(mount, 'Type') !== 'volume') return bindMount(source, destination, '', mode === '');
  if (source === '') return mountOfVolume(anonymousVolume(state), destination, mode);
  const options = objectAt(mount, 'VolumeOptions');
  return mountOfVolume(ensureVolume(state, source, { labels: textMapAt(options, 'Labels') }), destination, mode);
}

function bindMount(source: string, destination: string, mode: string, isWritable: boolean): MountPoint {
  const facts = { Type: 'bind', Source: source, Destination: destination, Mode: mode };
  return { ...facts, RW: isWritable, Propagation: 'rprivate' };
}

function mountOfVolume(volume: VolumeRecord, destination: string, mode: string): MountPoint {
  return {
    Type: 'volume',
    Name: volume.name,
    Source: mountpointOf(volume.name),
    Destination: destination,
    Driver: volume.driver,
    Mode: mode === '' ? 'z' : mode,
    RW: !mode.split(',').includes('ro'),
    Propagation: '',
  };
}

function anonymousVolume(state: EngineState): VolumeRecord {
  const labels = isAtLeast(state.settings.apiVersion, '1.42') ? { 'com.docker.volume.anonymous': '' } : {};
  return ensureVolume(state, state.newId(), { labels, isAnonymous: true });
}

function endpointsOf(state: EngineState, body: JsonObject): Map<string, Endpoint> {
  const mode = textAt(objectAt(body, 'HostConfig'), 'NetworkMode');
  if (mode.startsWith('container:')) return new Map();
  const configs = objectAt(objectAt(body, 'NetworkingConfig'), 'EndpointsConfig');
  const endpoints = new Map<string, Endpoint>();
  for (const reference of new Set([mode, ...Object.keys(configs)])) {
    const wanted = reference === '' || reference === 'default' ? 'bridge' : reference;
    const network = state.findNetwork(wanted);
    const config = objectAt(configs, reference);
    const endpoint = { networkId: network?.id ?? '', endpointId: '', ipAddress: '', config };
    const name = network?.name ?? wanted;
    if (!endpoints.has(name) || Object.keys(config).length > 0) endpoints.set(name, endpoint);
  }
  return endpoints;
}

function madeUpName(id: string): string {
  const adjective = adjectives[parseInt(id.slice(0, 2), 16) % adjectives.length] ?? 'calm';
  return `${adjective}_fish_${id.slice(2, 10)}`;
}

const adjectives = ['brave', 'calm', 'eager', 'gentle', 'keen', 'quiet', 'swift', 'wise'] as const;
