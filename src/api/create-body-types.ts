// Checks the JSON types of the members of a create body that the manager itself reads, and refuses them in the words of
// Go's decoder. What is not listed, or wrong in another way, is the engine's to judge: it may know more than we do.
import { badRequest } from '../common/errors.ts';
import type { CreateBody } from '../docker/types.ts';
import { isJsonObject } from './request-body.ts';

/** `go` is the type's name in the engine. */
type Schema =
  | { readonly kind: 'string' | 'number' | 'bool' | 'object'; readonly go: string }
  | { readonly kind: 'list' | 'map'; readonly go: string; readonly of: Schema }
  | { readonly kind: 'struct'; readonly go: string; readonly fields: Readonly<Record<string, Schema>> };

const text: Schema = { kind: 'string', go: 'string' };
const integer: Schema = { kind: 'number', go: 'int64' };
const flag: Schema = { kind: 'bool', go: 'bool' };
const texts: Schema = { kind: 'list', go: '[]string', of: text };

const mount: Schema = {
  kind: 'struct',
  go: 'mount.Mount',
  fields: { Type: { kind: 'string', go: 'mount.Type' }, Source: text, Target: text },
};

const hostConfig: Schema = {
  kind: 'struct',
  go: 'container.HostConfig',
  fields: {
    NetworkMode: { kind: 'string', go: 'container.NetworkMode' },
    IpcMode: { kind: 'string', go: 'container.IpcMode' },
    PidMode: { kind: 'string', go: 'container.PidMode' },
    Runtime: text,
    Binds: texts,
    Links: texts,
    VolumesFrom: texts,
    Mounts: { kind: 'list', go: '[]mount.Mount', of: mount },
    DeviceRequests: {
      kind: 'list',
      go: '[]container.DeviceRequest',
      of: { kind: 'object', go: 'container.DeviceRequest' },
    },
    PortBindings: { kind: 'object', go: 'nat.PortMap' },
    NanoCpus: integer,
    CpuShares: integer,
    CpuQuota: integer,
    CpuPeriod: integer,
    Memory: integer,
    MemoryReservation: integer,
    AutoRemove: flag,
  },
};

const createRequest: Schema = {
  kind: 'struct',
  go: 'container.CreateRequest',
  fields: {
    Image: text,
    Env: texts,
    Labels: { kind: 'map', go: 'map[string]string', of: text },
    ExposedPorts: { kind: 'object', go: 'nat.PortSet' },
    Tty: flag,
    HostConfig: hostConfig,
    NetworkingConfig: {
      kind: 'struct',
      go: 'network.NetworkingConfig',
      fields: { EndpointsConfig: { kind: 'object', go: 'map[string]*network.EndpointSettings' } },
    },
  },
};

/** Throws ApiError 400 when `body` is no create body that can be read. `null` stands for absence everywhere, as in Go. */
export function assertCreateBodyTypes(body: unknown): asserts body is CreateBody {
  if (!isJsonObject(body)) throw wrongType(body, `Go value of type ${createRequest.go}`);
  check(body, createRequest, { path: '', isElement: false });
}

interface Place {
  /** ".HostConfig.Mounts.0" */
  readonly path: string;
  /** An element of a list, which Go does not call a field. */
  readonly isElement: boolean;
}

function check(value: unknown, schema: Schema, place: Place): void {
  if (value === null || value === undefined) return;
  if (!isOfKind(value, schema)) {
    throw wrongType(value, `${place.isElement ? '' : 'Go struct field '}${place.path} of type ${schema.go}`);
  }
  for (const [name, member, inner] of membersOf(value, schema)) {
    check(member, inner, { path: `${place.path}.${name}`, isElement: schema.kind === 'list' });
  }
}

type Member = readonly [name: string, value: unknown, schema: Schema];

function membersOf(value: unknown, schema: Schema): readonly Member[] {
  if (schema.kind === 'list' && Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.map((item, index) => [String(index), item, schema.of]);
  }
  if (!isJsonObject(value)) return [];
  if (schema.kind === 'map') return Object.entries(value).map(([name, member]) => [name, member, schema.of]);
  return schema.kind === 'struct' ? fieldsOf(value, schema.fields) : [];
}

/** Go finds a field in whatever case it is written, and calls it by its own name. */
function fieldsOf(value: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, Schema>>): Member[] {
  const known = new Map(Object.entries(fields).map(([name, schema]) => [name.toLowerCase(), [name, schema] as const]));
  return Object.entries(value).flatMap(([key, member]) => {
    const field = known.get(key.toLowerCase());
    return field === undefined ? [] : [[field[0], member, field[1]] as const];
  });
}

function isOfKind(value: unknown, { kind }: Schema): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return Number.isInteger(value);
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'map':
    case 'struct':
    case 'object':
      return isJsonObject(value);
  }
}

function wrongType(value: unknown, target: string): Error {
  return badRequest(`invalid JSON: json: cannot unmarshal ${jsonKind(value)} into ${target}`);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : `number ${value}`;
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
