// The registry over HTTP, to be mounted in front of the Docker API. Bodies are small and bounded, and an answer is
// JSON, errors as {"message"}.
//   GET    /shoal/v1/nodes            the members
//   PUT    /shoal/v1/nodes/ADDRESS    {"ttlMs": 15000, "alive": true, "facts": ""}: announces an engine for that time
//   DELETE /shoal/v1/nodes/ADDRESS    withdraws it
//   GET    /shoal/v1/nodes/ADDRESS    stays open without a body for as long as this registry knows the engine
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, badRequest, errorMessage, notFound } from '../src/common/errors.ts';
import type { EmbeddedRegistry } from './embedded.ts';
import { withFacts } from './entry.ts';

/** The path under which the members of an embedded registry are found. */
export const nodesPath = '/shoal/v1/nodes';

const maxBodyBytes = 64 * 1024;
const bodyTimeoutMs = 10_000;
/** The kernel asks an idle peer this often whether it is still there. */
const keepAliveMs = 15_000;

/**
 * A listener that answers the registry's own paths; false: the request is none of its business and untouched. `assertMay`
 * throws an ApiError for a request whose caller may not make it.
 */
export function embeddedRoutes(
  registry: EmbeddedRegistry,
  assertMay: (req: IncomingMessage) => void = () => undefined,
): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const path = (req.url ?? '').split('?', 1)[0] ?? '';
    if (path !== nodesPath && !path.startsWith(`${nodesPath}/`)) return false;
    answering(res, () => {
      assertMay(req);
      if (path === nodesPath) serveList(registry, req, res);
      else serveNode(registry, decodeSegment(path.slice(nodesPath.length + 1)), req, res);
    });
    return true;
  };
}

function serveList(registry: EmbeddedRegistry, req: IncomingMessage, res: ServerResponse): void {
  if (req.method !== 'GET') throw new ApiError(405, 'only GET is accepted here');
  sendJson(res, 200, { nodes: registry.entries });
}

function serveNode(registry: EmbeddedRegistry, address: string, req: IncomingMessage, res: ServerResponse): void {
  const method = req.method ?? 'GET';
  switch (method) {
    case 'PUT':
      collectBody(req, res, (body) => {
        const { ttlMs, ...entry } = parseAnnouncement(body);
        registry.announce({ address, ...entry }, ttlMs);
        res.writeHead(204).end();
      });
      return;
    case 'DELETE':
      registry.withdraw(address);
      res.writeHead(204).end();
      return;
    case 'GET':
      holdOpen(registry, address, res);
      return;
    default:
      throw new ApiError(405, 'only GET, PUT and DELETE are accepted here');
  }
}

/** The end of the answer tells the agent at once that its announcement is lost, sooner than its next one would. */
function holdOpen(registry: EmbeddedRegistry, address: string, res: ServerResponse): void {
  const end = (): void => {
    res.end();
  };
  const release = registry.onWithdrawn(address, end);
  if (!release || registry.signal.aborted) throw notFound('node', address);
  registry.signal.addEventListener('abort', end, { once: true });
  res.on('close', () => {
    release();
    registry.signal.removeEventListener('abort', end);
  });
  res.socket?.setKeepAlive(true, keepAliveMs);
  res.socket?.setTimeout(0);
  res.writeHead(200, { 'Content-Type': 'application/json', Connection: 'close' });
  res.flushHeaders();
}

function collectBody(req: IncomingMessage, res: ServerResponse, use: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const giveUp = setTimeout(() => {
    req.destroy();
  }, bodyTimeoutMs);
  req.on('error', () => undefined);
  req.on('close', () => {
    clearTimeout(giveUp);
  });
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) {
      chunks.push(chunk);
      return;
    }
    chunks.length = 0;
    if (res.headersSent) return;
    // The rest of the body is not kept, and the connection ends with this answer.
    res.setHeader('Connection', 'close');
    sendJson(res, 413, { message: `a body of more than ${maxBodyBytes} bytes is not accepted` });
  });
  req.on('end', () => {
    if (res.headersSent) return;
    answering(res, () => {
      use(Buffer.concat(chunks).toString('utf8'));
    });
  });
}

interface Announcement {
  readonly ttlMs: number;
  readonly alive: boolean;
  readonly facts?: string;
}

function parseAnnouncement(body: string): Announcement {
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null) throw badRequest('expected a JSON object with ttlMs');
  const ttlMs: unknown = 'ttlMs' in value ? value.ttlMs : undefined;
  const alive: unknown = 'alive' in value ? value.alive : true;
  if (typeof ttlMs !== 'number') throw badRequest('invalid ttlMs: a number is expected');
  if (typeof alive !== 'boolean') throw badRequest('invalid alive: true or false is expected');
  const facts: unknown = 'facts' in value ? value.facts : undefined;
  if (facts !== undefined && typeof facts !== 'string') throw badRequest('invalid facts: a text is expected');
  return { ttlMs, alive, ...withFacts(facts) };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`invalid JSON: ${errorMessage(error)}`, { cause: error });
  }
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw badRequest('invalid path', { cause: error });
  }
}

function answering(res: ServerResponse, serve: () => void): void {
  try {
    serve();
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 500;
    sendJson(res, status, { message: errorMessage(error) });
  }
}

function sendJson(res: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}
