// Checks the JSON types of the members of a create body that the manager itself reads. What is not listed, or
// wrong in another way, is the engine's to judge: it may know more than we do.
import { badRequest } from '../common/errors.ts';
import type { CreateBody } from '../docker/types.ts';
import { isJsonObject } from './request-body.ts';

type WireType = 'string' | 'number' | 'bool' | 'strings' | 'list' | 'map' | 'object';

const topLevel: Readonly<Record<string, WireType>> = {
  image: 'string',
  env: 'strings',
  labels: 'map',
  exposedports: 'object',
  tty: 'bool',
  hostconfig: 'object',
  networkingconfig: 'object',
};

const hostConfig: Readonly<Record<string, WireType>> = {
  networkmode: 'string',
  ipcmode: 'string',
  pidmode: 'string',
  runtime: 'string',
  binds: 'strings',
  links: 'strings',
  volumesfrom: 'strings',
  mounts: 'list',
  devicerequests: 'list',
  portbindings: 'object',
  nanocpus: 'number',
  cpushares: 'number',
  cpuquota: 'number',
  cpuperiod: 'number',
  memory: 'number',
  memoryreservation: 'number',
  autoremove: 'bool',
};

/** Throws ApiError 400 when `body` is no create body that can be read. `null` stands for absence everywhere, as in Go. */
export function assertCreateBodyTypes(body: unknown): asserts body is CreateBody {
  if (!isJsonObject(body)) throw wrongType(body, 'ContainerConfigWrapper', 'map');
  assertMembers(body, 'CreateRequest', topLevel);
  for (const [name, value] of Object.entries(body)) {
    if (name.toLowerCase() === 'hostconfig' && isJsonObject(value)) assertHostConfig(value);
    if (name.toLowerCase() === 'networkingconfig' && isJsonObject(value)) {
      assertMembers(value, 'CreateRequest.NetworkingConfig', { endpointsconfig: 'object' });
    }
  }
}

function assertHostConfig(value: Readonly<Record<string, unknown>>): void {
  assertMembers(value, 'CreateRequest.HostConfig', hostConfig);
  for (const [name, mounts] of Object.entries(value)) {
    if (name.toLowerCase() !== 'mounts' || !Array.isArray(mounts)) continue;
    for (const mount of mounts) {
      if (!isJsonObject(mount)) throw wrongType(mount, 'CreateRequest.HostConfig.Mounts', 'object');
      assertMembers(mount, 'CreateRequest.HostConfig.Mounts', { type: 'string', source: 'string', target: 'string' });
    }
  }
}

function assertMembers(
  value: Readonly<Record<string, unknown>>,
  path: string,
  types: Readonly<Record<string, WireType>>,
): void {
  for (const [name, member] of Object.entries(value)) {
    const type = Object.hasOwn(types, name.toLowerCase()) ? types[name.toLowerCase()] : undefined;
    if (type !== undefined && member !== null && !isOfType(member, type))
      throw wrongType(member, `${path}.${name}`, type);
  }
}

function isOfType(value: unknown, type: WireType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && Number.isInteger(value);
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'strings':
      return Array.isArray(value) && value.every((entry) => typeof entry === 'string' || entry === null);
    case 'object':
      return isJsonObject(value);
    case 'map':
      return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === 'string' || entry === null);
  }
}

const goTypes: Readonly<Record<WireType, string>> = {
  string: 'string',
  number: 'int64',
  bool: 'bool',
  strings: '[]string',
  list: '[]object',
  map: 'map[string]string',
  object: 'object',
};

function wrongType(value: unknown, field: string, type: WireType): Error {
  return badRequest(`json: cannot unmarshal ${jsonKind(value)} into Go struct field ${field} of type ${goTypes[type]}`);
}

function jsonKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
