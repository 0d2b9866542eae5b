// Ping, version, info, events, disk usage and what belongs to no object.
import { ApiError, badRequest } from '../../../src/common/errors.ts';
import { isAtLeast, releaseOf } from './api-version.ts';
import type { Call } from './call.ts';
import { listRowWithSize } from './container-documents.ts';
import type { EngineState } from './engine-state.ts';
import { eventText } from './event-journal.ts';
import type { EngineEvent } from './event-journal.ts';
import { matchesEvent } from './event-filter.ts';
import { parseFilters } from './filters.ts';
import { digestOf, familiarReference } from './image-reference.ts';
import { imageRow } from './routes-images.ts';
import { swarmInfo, swarmWord } from './routes-swarm.ts';
import { volumeDocument } from './routes-volumes.ts';
import { route } from './router.ts';

export const systemRoutes = [
  route('GET', '/_ping', ping),
  route('HEAD', '/_ping', ping),
  route('GET', '/version', version),
  route('GET', '/info', info),
  route('GET', '/events', events),
  route('GET', '/system/df', diskUsage),
  route('POST', '/auth', authenticate),
  route('GET', '/distribution/{name}/json', distribution),
  route('POST', '/session', session),
  route('POST', '/grpc', grpc),
];

function ping(state: EngineState, call: Call): void {
  const body = call.received.method === 'HEAD' ? Buffer.alloc(0) : Buffer.from('OK');
  call.bytes(200, 'text/plain; charset=utf-8', body, {
    'Builder-Version': '1',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    ...(isAtLeast(state.settings.apiVersion, '1.42') && { Swarm: swarmWord(state) }),
  });
}

function version(state: EngineState, call: Call): void {
  const { apiVersion, minApiVersion } = state.settings;
  const release = releaseOf(apiVersion);
  const common = {
    ApiVersion: apiVersion,
    Arch: 'amd64',
    BuildTime: '2024-01-01T00:00:00.000000000+00:00',
    GitCommit: '0000000',
    GoVersion: 'go1.22.0',
    KernelVersion: '6.1.0-18-amd64',
    MinAPIVersion: minApiVersion,
    Os: 'linux',
  };
  const components = [{ Name: 'Engine', Version: release, Details: { ...common, Experimental: 'false' } }];
  const platform = { Name: 'Docker Engine - Community' };
  call.json(200, { Platform: platform, Components: components, Version: release, ...common });
}

function info(state: EngineState, call: Call): void {
  const { settings } = state;
  const containers = [...state.containers.values()];
  const count = (status: string): number => containers.filter((container) => container.status === status).length;
  call.json(200, {
    ID: settings.id,
    Containers: containers.length,
    ContainersRunning: count('running'),
    ContainersPaused: count('paused'),
    ContainersStopped: count('exited') + count('created'),
    Images: state.images.size,
    Driver: 'overlay2',
    DriverStatus: [['Backing Filesystem', 'extfs']],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null', 'overlay'],
      Authorization: null,
      Log: ['json-file'],
    },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    Debug: false,
    NFd: 30,
    OomKillDisable: false,
    NGoroutines: 40,
    SystemTime: new Date(Number(state.journal.nowNano() / 1_000_000n)).toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'systemd',
    CgroupVersion: '2',
    NEventsListener: state.eventStreams.size,
    KernelVersion: '6.1.0-18-amd64',
    OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    OSVersion: '12',
    OSType: 'linux',
    Architecture: 'x86_64',
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: {}, Mirrors: [] },
    NCPU: settings.cpus,
    MemTotal: settings.memoryBytes,
    GenericResources: null,
    DockerRootDir: '/var/lib/docker',
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: settings.name,
    Labels: Object.entries(settings.labels).map(([key, value]) => `${key}=${value}`),
    ExperimentalBuild: false,
    ServerVersion: releaseOf(settings.apiVersion),
    Runtimes: { runc: { path: 'runc' } },
    DefaultRuntime: 'runc',
    Swarm: swarmInfo(state),
    LiveRestoreEnabled: false,
    Isolation: '',
    InitBinary: 'docker-init',
    SecurityOptions: ['name=apparmor', 'name=seccomp,profile=default', 'name=cgroupns'],
    Warnings: null,
  });
}

async function events(state: EngineState, call: Call): Promise<void> {
  const { apiVersion } = state.settings;
  const filters = parseFilters(call.query.get('filters'), { apiVersion });
  const since = parseTime(call.query.get('since'), apiVersion);
  const until = parseTime(call.query.get('until'), apiVersion);
  if (since !== undefined && until !== undefined && until < since) {
    throw badRequest('`since` time cannot be after `until` time');
  }
  const withLegacyFields = !isAtLeast(call.version, '1.52');
  const send = (event: EngineEvent): void => {
    if (matchesEvent(event, filters)) call.write(`${eventText(event, withLegacyFields)}\n`);
  };
  call.open(withLegacyFields ? 'application/json' : 'application/jsonl');
  const now = state.journal.nowNano();
  if (since !== undefined) state.journal.replay(since, until ?? now).forEach(send);
  if (until !== undefined && until <= now) {
    call.end();
    return;
  }
  await followEvents(state, call, send, until === undefined ? undefined : Number((until - now) / 1_000_000n));
}

/** Until the client goes, the streams are ended, or `remainingMs` have passed. */
async function followEvents(
  state: EngineState,
  call: Call,
  send: (event: EngineEvent) => void,
  remainingMs: number | undefined,
): Promise<void> {
  const unsubscribe = state.journal.subscribe(send);
  const timer = remainingMs === undefined ? undefined : setTimeout(end, remainingMs);
  function end(): void {
    call.end();
  }
  state.eventStreams.add(end);
  await new Promise<void>((resolve) => {
    if (call.gone.aborted) resolve();
    else
      call.gone.addEventListener('abort', () => {
        resolve();
      });
  });
  clearTimeout(timer);
  unsubscribe();
  state.eventStreams.delete(end);
}

function diskUsage(state: EngineState, call: Call): void {
  const images = [...state.images.values()].map((image) => ({
    ...imageRow(state, image, call.version),
    SharedSize: 0,
  }));
  const size = [...state.images.values()].reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  call.json(200, {
    LayersSize: size,
    Images: images,
    Containers: [...state.containers.values()].map((container) => listRowWithSize(state, container)),
    Volumes: [...state.volumes.values()].map((volume) => ({
      ...volumeDocument(volume),
      UsageData: {
        RefCount: [...state.containers.values()].filter(({ mounts }) => mounts.some(({ Name }) => Name === volume.name))
          .length,
        Size: 4096,
      },
    })),
    BuildCache: [],
  });
}

async function authenticate(_state: EngineState, call: Call): Promise<void> {
  const credentials = await call.readJson();
  if (credentials['password'] === 'wrong') throw new ApiError(401, 'unauthorized: incorrect username or password');
  call.json(200, { Status: 'Login Succeeded', IdentityToken: '' });
}

function distribution(_state: EngineState, call: Call, name: string): void {
  if (name.startsWith('missing/')) throw new ApiError(403, `errors:\ndenied: requested access to ${name} is denied`);
  const digest = digestOf(`manifest ${familiarReference(name)}`);
  call.json(200, {
    Descriptor: { mediaType: 'application/vnd.docker.distribution.manifest.v2+json', digest, size: 527 },
    Platforms: [{ architecture: 'amd64', os: 'linux' }],
  });
}

async function session(_state: EngineState, call: Call): Promise<void> {
  if (call.request.headers.upgrade === undefined) throw badRequest('no upgrade');
  await echoBytes(call);
}

async function grpc(_state: EngineState, call: Call): Promise<void> {
  if (call.request.headers.upgrade === undefined) throw new ApiError(500, 'no upgrade proto in request');
  await echoBytes(call);
}

async function echoBytes(call: Call): Promise<void> {
  await call.readBody();
  const socket = call.hijack({ protocol: 'h2c', withEngineHeaders: false });
  socket?.pipe(socket);
}

/** Nanoseconds of a `seconds[.nanoseconds]` text. */
function parseTime(text: string | null, apiVersion: string): bigint | undefined {
  if (text === null || text === '') return undefined;
  const match = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) throw new ApiError(isAtLeast(apiVersion, '1.42') ? 400 : 500, `failed to parse value as time: ${text}`);
  return BigInt(match[1] ?? 0) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
