// What an answer says, freed of what differs by nature between two hosts: ids, times, sizes, addresses, ports and the
// host's own name. What kind of body it is follows from its Content-Type alone, as a client decides it.
import { field } from '../document.ts';
import type { Played } from './exchange.ts';
import { normalisedText } from './normalised-text.ts';

export interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** How the end of the body is told. */
  readonly framing: string;
  readonly end: string;
  readonly body: unknown;
}

/** What the target calls itself; each is replaced wherever it appears. */
export interface OwnNames {
  readonly hostName: string;
  readonly address: string;
}

/** Headers that a client can act on. */
const comparedHeaders = [
  ...['content-type', 'api-version', 'ostype', 'docker-experimental', 'server', 'cache-control', 'pragma'],
  ...['builder-version', 'swarm', 'location', 'connection', 'upgrade', 'sec-websocket-accept', 'warning'],
  ...['x-docker-container-path-stat', 'access-control-allow-origin', 'access-control-allow-methods', 'vary', 'etag'],
];

export function readAnswer({ answer, order, route }: Played, names: OwnNames): ReadAnswer {
  const { status, headers } = answer;
  return {
    status,
    headers: Object.fromEntries(
      comparedHeaders.flatMap((name) => {
        const value = headers[name];
        return value === undefined ? [] : [[name, headerText(name, value, names)]];
      }),
    ),
    framing: framing(headers),
    end: answer.end,
    body: normalised(readBody(answer.body, headers['content-type'] ?? '', route), '', { names, order }),
  };
}

function headerText(name: string, value: string, names: OwnNames): string {
  if (name !== 'x-docker-container-path-stat') return freed(value, names);
  return freed(Buffer.from(value, 'base64').toString(), names);
}

function framing(headers: Readonly<Record<string, string>>): string {
  const isTold = headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined;
  return isTold ? 'told' : 'until the end';
}

function readBody(body: Buffer, type: string, route: string): unknown {
  if (body.length === 0) return '';
  if (type.startsWith('application/json')) return jsonDocuments(body, streamingRoutes.has(route));
  if (body.toString('latin1', 257, 262) === 'ustar') return tarNames(body);
  return type.startsWith('text/') ? body.toString() : streamText(body);
}

/** A document is itself, of a stream they are a list. */
function jsonDocuments(body: Buffer, isStream: boolean): unknown {
  const text = body.toString();
  try {
    const document: unknown = JSON.parse(text);
    return isStream && field(document, 'message') === undefined ? [document] : document;
  } catch {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => {
        try {
          return JSON.parse(line) as unknown;
        } catch {
          return line;
        }
      });
  }
}

/** Frames become one text per stream: where an engine cuts them is chance. Without frames it is the bare text. */
function streamText(body: Buffer): unknown {
  const texts = new Map<string, string>();
  let position = 0;
  while (position + 8 <= body.length) {
    const type = body.readUInt8(position);
    const length = body.readUInt32BE(position + 4);
    if (type > 3 || body.readUIntBE(position + 1, 3) !== 0 || position + 8 + length > body.length) break;
    const stream = `stream ${type}`;
    texts.set(stream, `${texts.get(stream) ?? ''}${body.toString('utf8', position + 8, position + 8 + length)}`);
    position += 8 + length;
  }
  return position === body.length ? Object.fromEntries(texts) : body.toString('latin1');
}

function tarNames(body: Buffer): unknown {
  const names: string[] = [];
  let position = 0;
  while (position + 512 <= body.length && body[position] !== 0) {
    const [name = ''] = body.toString('latin1', position, position + 100).split('\0');
    const size = parseInt(body.toString('latin1', position + 124, position + 135), 8) || 0;
    names.push(name);
    position += 512 + Math.ceil(size / 512) * 512;
  }
  return names.sort();
}

const streamingRoutes: ReadonlySet<string> = new Set([
  ...['GET /events', 'POST /build', 'POST /images/create', 'POST /images/load', 'POST /images/{name*}/push'],
  ...['POST /plugins/pull', 'POST /plugins/{name*}/upgrade', 'POST /plugins/{name*}/push'],
]);

interface Context {
  readonly names: OwnNames;
  readonly order: 'open' | 'fixed';
}

function normalised(value: unknown, key: string, context: Context): unknown {
  if (typeof value === 'string') return measuredTexts.has(key) ? '<measured>' : freed(value, context.names);
  if (typeof value === 'number') return normalisedNumber(key, value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return normalisedList(value, key, context);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      freed(name, context.names),
      isMeasured(name, inner) ? `<${name}>` : normalised(inner, name, context),
    ]),
  );
}

function normalisedList(values: readonly unknown[], key: string, context: Context): unknown[] {
  const list = values.map((inner) => normalised(inner, key, context));
  const isOpen = (context.order === 'open' && key === '') || openLists.has(key);
  return isOpen ? list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : list;
}

/** Engines build these from maps. */
const openLists: ReadonlySet<string> = new Set([
  'VolumesDeleted',
  'ContainersDeleted',
  'NetworksDeleted',
  'Ports',
  'Mounts',
  'Aliases',
  'DNSNames',
  'Volumes',
  'Layers',
]);

/** A health check may be under way, or none. */
function isMeasured(name: string, value: unknown): boolean {
  return name === 'ExecIDs' || (value !== null && measuredObjects.has(name));
}

/** Measured by the engine: they differ from one moment to the next. */
const measuredObjects: ReadonlySet<string> = new Set([
  ...[
    'Processes',
    'Log',
    'cpu_stats',
    'precpu_stats',
    'memory_stats',
    'blkio_stats',
    'pids_stats',
    'networks',
    'RegistryConfig',
  ],
]);

const measuredTexts: ReadonlySet<string> = new Set(['execDuration', 'SystemTime', 'KernelVersion', 'progress']);

const measuredNumbers: ReadonlySet<string> = new Set([
  ...['Created', 'time', 'timeNano', 'Size', 'SizeRw', 'SizeRootFs', 'SharedSize', 'VirtualSize', 'LayersSize', 'Pid'],
  ...['NFd', 'NGoroutines', 'NEventsListener', 'SpaceReclaimed', 'size', 'MemTotal', 'num_procs', 'current', 'total'],
  ...['TotalSize', 'Reclaimable', 'Containers', 'ContainersRunning', 'ContainersStopped', 'Images', 'PID', 'mtime'],
]);

function normalisedNumber(key: string, value: number): unknown {
  if (measuredNumbers.has(key) && value > 0) return `<${key}>`;
  return (key === 'PublicPort' || key === 'HostPort') && value >= firstFreePort ? '<port>' : value;
}

const firstFreePort = 32_768;

function freed(text: string, { hostName, address }: OwnNames): string {
  return normalisedText(text.replaceAll(address, '<own address>').replaceAll(hostName, '<own name>'));
}
