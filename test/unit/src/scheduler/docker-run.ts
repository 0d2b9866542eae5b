// The words of `docker run` as a create body, as far as the scheduler's tests use them: what a row of a table asks for
// stands there as a user would type it.
import type { CreateBody } from '../../../../src/docker/types.ts';
import type { RequestOptions } from '../../../../src/scheduler/request.ts';
import { gib } from './a-node.ts';

interface DockerRun {
  readonly body: CreateBody;
  readonly options: RequestOptions;
}

/** `-p 80:80 -e constraint:zone==a redis`: flags with their values, then the image, which is busybox when left out. */
export function dockerRun(command: string): DockerRun {
  const words = command.split(' ').filter((word) => word !== '');
  const values = new Map<string, string[]>();
  let image = 'busybox';
  for (let flag = words.shift(); flag !== undefined; flag = words.shift()) {
    if (!flag.startsWith('-')) image = flag;
    else if (!flags.has(flag)) throw new Error(`unknown flag ${flag}`);
    else values.set(flag, [...(values.get(flag) ?? []), words.shift() ?? '']);
  }
  const all = (flag: string): readonly string[] => values.get(flag) ?? [];
  const last = (flag: string): string => all(flag).at(-1) ?? '';
  const [network = ''] = all('--network');
  return {
    body: {
      Image: image,
      Env: all('-e'),
      Labels: Object.fromEntries(all('-l').map(keyAndValue)),
      ExposedPorts: Object.fromEntries(all('--expose').map((port) => [port, {}])),
      HostConfig: {
        NetworkMode: network,
        PortBindings: portBindings(all('-p')),
        VolumesFrom: all('--volumes-from'),
        Links: all('--link'),
        IpcMode: last('--ipc'),
        PidMode: last('--pid'),
        Binds: all('-v'),
        Memory: bytes(last('-m')),
        MemoryReservation: bytes(last('--memory-reservation')),
        NanoCpus: Number(last('--cpus')) * 1e9,
        CpuQuota: Number(last('--cpu-quota')),
        Runtime: last('--runtime'),
        Mounts: all('--mount').map(mount),
        DeviceRequests: [...all('--gpus').map(gpus), ...all('--device').map(cdiDevice)],
      },
      NetworkingConfig: { EndpointsConfig: Object.fromEntries(all('--network').map((name) => [name, {}])) },
    },
    options: { name: last('--name') === '' ? undefined : last('--name'), platform: last('--platform') },
  };
}

const flags: ReadonlySet<string> = new Set([
  ...['-e', '-l', '-m', '-p', '-v', '--cpu-quota', '--cpus', '--device', '--expose', '--gpus', '--ipc', '--link'],
  ...['--memory-reservation', '--mount', '--name', '--network', '--pid', '--platform', '--runtime', '--volumes-from'],
]);

function keyAndValue(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `[address:]host:container[/protocol]`; without the host port the engine chooses one. */
function portBindings(written: readonly string[]): Readonly<Record<string, readonly object[]>> {
  const bindings: Record<string, object[]> = {};
  for (const text of written) {
    const parts = /^(?:(.+):)?([\d-]*):(\d+)(?:\/(\w+))?$/.exec(text);
    if (parts === null) throw new Error(`not a published port: ${text}`);
    const [, address = '', host = '', container = '', protocol = 'tcp'] = parts;
    (bindings[`${container}/${protocol}`] ??= []).push({ HostIp: address.replace(/[[\]]/g, ''), HostPort: host });
  }
  return bindings;
}

/** Of a number and m or g. */
function bytes(text: string): number {
  return text.endsWith('g') ? Number(text.slice(0, -1)) * gib : (Number(text.slice(0, -1)) * gib) / 1024;
}

function gpus(count: string): object {
  return { Count: count === 'all' ? -1 : Number(count), Capabilities: [['gpu']] };
}

/** `type=volume,source=data,volume-subpath=x` */
function mount(text: string): object {
  const { type, source, 'volume-subpath': Subpath } = Object.fromEntries(text.split(',').map(keyAndValue));
  return { Type: type, Source: source, ...(Subpath !== undefined && { VolumeOptions: { Subpath } }) };
}

function cdiDevice(id: string): object {
  return { Driver: 'cdi', DeviceIDs: [id] };
}
