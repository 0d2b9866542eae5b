// An agent's side of a manager that is its own registry. An open connection tells at once when the manager is gone,
// so that the engine is announced to its successor within a second or two.
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { sleep } from '../src/common/abort.ts';
import { Backoff } from '../src/common/backoff.ts';
import { ApiError } from '../src/common/errors.ts';
import type { Logger } from '../src/common/logger.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';
import { nodesPath } from './embedded-routes.ts';
import { formatHostPort, parseAddress, sameMembership, sortMembership, withFacts } from './entry.ts';
import type { HostPort } from './entry.ts';
import { readTlsFiles } from './tls-files.ts';
import type { TlsFiles, TlsMaterial } from './tls-files.ts';
import { TroubleLog } from './trouble-log.ts';

export interface EmbeddedClientOptions {
  /** Where the manager listens. */
  readonly manager: HostPort;
  /** Given when the manager listens with TLS. */
  readonly tls?: TlsFiles;
  readonly logger: Logger;
}

const requestTimeoutMs = 5_000;
const pollMs = 2_000;
const keepAliveMs = 15_000;
const maxAnswerBytes = 16 * 1024 * 1024;

export class EmbeddedClient implements DiscoveryBackend {
  readonly name = 'embedded';
  readonly #manager: HostPort;
  readonly #tls: TlsMaterial | undefined;
  readonly #trouble: TroubleLog;

  /** Throws a 400 of one line when a certificate file cannot be read. */
  constructor(options: EmbeddedClientOptions) {
    this.#manager = options.manager;
    this.#tls = readTlsFiles(options.tls ?? {});
    const facts = { discovery: 'embedded', manager: formatHostPort(options.manager) };
    this.#trouble = new TroubleLog(options.logger.child(facts), 'the manager');
  }

  get silentSince(): Date | undefined {
    return this.#trouble.since;
  }

  async *watch(signal: AbortSignal): AsyncGenerator<readonly DiscoveryEntry[]> {
    const backoff = new Backoff({ initialMs: 200, maxMs: pollMs });
    let last: readonly DiscoveryEntry[] | undefined;
    while (!signal.aborted) {
      const entries = await this.#tryList(signal);
      if (!entries) {
        await sleep(backoff.next(), signal);
        continue;
      }
      backoff.reset();
      if (!last || !sameMembership(last, entries)) {
        last = entries;
        yield last;
      }
      await sleep(pollMs, signal);
    }
  }

  async register({ address, alive, facts }: DiscoveryEntry, ttlMs: number, signal: AbortSignal): Promise<void> {
    await this.#exchange('PUT', nodePath(address), signal, JSON.stringify({ ttlMs, alive, facts }));
  }

  async deregister({ address }: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    await this.#exchange('DELETE', nodePath(address), signal);
  }

  untilLost({ address }: DiscoveryEntry, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const req = this.#request('GET', nodePath(address));
      const end = (): void => {
        req.destroy();
      };
      signal.addEventListener('abort', end, { once: true });
      req.on('socket', (socket) => socket.setKeepAlive(true, keepAliveMs));
      req.setTimeout(requestTimeoutMs, end);
      req.on('response', (res) => {
        req.setTimeout(0);
        res.on('error', () => undefined);
        res.resume();
      });
      req.on('error', () => undefined);
      req.on('close', () => {
        signal.removeEventListener('abort', end);
        resolve();
      });
      req.end();
    });
  }

  async #tryList(signal: AbortSignal): Promise<readonly DiscoveryEntry[] | undefined> {
    try {
      const entries = parseNodes(await this.#exchange('GET', nodesPath, signal));
      this.#trouble.succeeded();
      return entries;
    } catch (error) {
      if (!signal.aborted) this.#trouble.failed(error);
      return undefined;
    }
  }

  /** The body of an answer of success. Rejects with an ApiError of the answer's status otherwise, and on abort. */
  #exchange(method: string, path: string, signal: AbortSignal, body = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const req = this.#request(method, path);
      const onAbort = (): void => {
        req.destroy(new Error('given up'));
      };
      const deadline = setTimeout(() => {
        req.destroy(new Error(`no answer from the manager within ${requestTimeoutMs} ms`));
      }, requestTimeoutMs);
      signal.addEventListener('abort', onAbort, { once: true });
      req.on('close', () => {
        clearTimeout(deadline);
        signal.removeEventListener('abort', onAbort);
        reject(new Error('the manager closed the connection'));
      });
      req.on('error', reject);
      req.on('response', (res) => {
        readAnswer(res, resolve, reject);
      });
      req.setHeader('Content-Length', Buffer.byteLength(body));
      req.end(body);
    });
  }

  #request(method: string, path: string): ClientRequest {
    const { host, port } = this.#manager;
    const headers = { 'Content-Type': 'application/json' };
    // A connection of its own for each request: a pooled one may be closed by the manager in the moment of its use.
    const options = { host, port, method, path, headers, agent: false };
    return this.#tls ? httpsRequest({ ...options, ...this.#tls }) : httpRequest(options);
  }
}

function nodePath(address: string): string {
  return `${nodesPath}/${encodeURIComponent(address)}`;
}

function readAnswer(res: IncomingMessage, resolve: (body: string) => void, reject: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  res.on('error', reject);
  res.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) res.destroy(new Error('the answer of the manager is too long'));
    else chunks.push(chunk);
  });
  res.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    const status = res.statusCode ?? 500;
    if (status < 300) resolve(body);
    else reject(new ApiError(status, `the manager answered ${status}: ${body.trim().slice(0, 200)}`));
  });
}

function parseNodes(body: string): readonly DiscoveryEntry[] {
  const value: unknown = JSON.parse(body);
  const nodes: unknown = typeof value === 'object' && value !== null && 'nodes' in value ? value.nodes : undefined;
  if (!Array.isArray(nodes)) throw new Error('the manager answered something else than a list of nodes');
  return sortMembership(nodes.map((node: unknown) => parseNode(node)));
}

function parseNode(value: unknown): DiscoveryEntry {
  if (typeof value !== 'object' || value === null || !('address' in value) || typeof value.address !== 'string') {
    throw new Error('the manager answered a node without an address');
  }
  const facts = 'facts' in value && typeof value.facts === 'string' ? value.facts : undefined;
  return { address: parseAddress(value.address), alive: 'alive' in value && value.alive === true, ...withFacts(facts) };
}
