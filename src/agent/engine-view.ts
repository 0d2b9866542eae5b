// The few things that the agent asks its engine: where its data is, which ports its containers hold, and what these publish.
import http from 'node:http';
import { jsonMember } from '../../discovery/json-member.ts';
import type { TakenPort } from '../engine/announced-facts.ts';
import { readNdjson } from '../common/ndjson.ts';
import { exchange, type ExchangeAnswer } from '../proxy/exchange.ts';
import { openStream } from '../proxy/open-stream.ts';
import type { Upstream } from '../proxy/upstream.ts';
import type { EnginePlace } from './engine-probe.ts';

const timeoutMs = 5_000;

export class EngineView {
  readonly #place: EnginePlace;

  constructor(place: EnginePlace) {
    this.#place = place;
  }

  /** undefined when the engine does not tell. Rejects when it does not answer. */
  async dataRoot(signal: AbortSignal): Promise<string | undefined> {
    const root = jsonMember(await this.#ask('/info', signal), 'DockerRootDir');
    return typeof root === 'string' && root !== '' ? root : undefined;
  }

  /** The published ports of running containers. Rejects when the engine does not answer. */
  async publishedPorts(signal: AbortSignal): Promise<readonly TakenPort[]> {
    const rows = listOf(await this.#ask('/containers/json', signal));
    return rows.flatMap((row) => listOf(jsonMember(row, 'Ports'))).flatMap(publishedPort);
  }

  /** The ids of the running containers. Rejects when the engine does not answer. */
  async runningContainers(signal: AbortSignal): Promise<readonly string[]> {
    const rows = listOf(await this.#ask('/containers/json', signal));
    return rows.flatMap((row) => textOf(jsonMember(row, 'Id')));
  }

  /** undefined when there is none of that id. Rejects when the engine does not answer. */
  async inspectContainer(id: string, signal: AbortSignal): Promise<unknown> {
    const { statusCode, body } = await this.#exchange(`/containers/${id}/json`, signal);
    return statusCode === 404 ? undefined : parsed(statusCode, body);
  }

  /**
   * Resolves once the engine tells of every container that starts, ends, or is another to those who look it up: with their
   * ids, again and again. They fail when the engine is lost or `signal` aborts.
   */
  async openChanges(signal: AbortSignal): Promise<AsyncGenerator<string>> {
    const filters = { type: ['container'], event: ['start', 'die', 'pause', 'unpause', 'health_status'] };
    const path = `/events?filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const { statusCode, stream } = await openStream(this.#upstream, { method: 'GET', path, signal, timeoutMs });
    if (statusCode === 200) return idsOf(stream);
    stream.destroy();
    throw new Error(`the engine answered a subscription to its events with ${statusCode}`);
  }

  async #ask(path: string, signal: AbortSignal): Promise<unknown> {
    const { statusCode, body } = await this.#exchange(path, signal);
    return parsed(statusCode, body);
  }

  async #exchange(path: string, signal: AbortSignal): Promise<ExchangeAnswer> {
    return await exchange(this.#upstream, { method: 'GET', path, signal, timeoutMs });
  }

  get #upstream(): Upstream {
    const place = 'socketPath' in this.#place ? { host: 'localhost', port: 0, ...this.#place } : this.#place;
    return { name: 'of the agent', agent: new http.Agent({ keepAlive: false }), ...place };
  }
}

async function* idsOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const event of readNdjson(stream)) yield* textOf(jsonMember(event, 'id'));
}

function parsed(statusCode: number, body: Buffer): unknown {
  if (statusCode !== 200) throw new Error(`the engine answered ${statusCode}`);
  return JSON.parse(body.toString('utf8'));
}

function publishedPort(row: unknown): readonly TakenPort[] {
  const [ip, port, protocol] = ['IP', 'PublicPort', 'Type'].map((name) => jsonMember(row, name));
  if (typeof port !== 'number' || (protocol !== 'tcp' && protocol !== 'udp')) return [];
  return [{ protocol, ip: ip === '0.0.0.0' || ip === '::' || typeof ip !== 'string' ? '' : ip, port }];
}

/** None when it is something else. */
function textOf(value: unknown): readonly string[] {
  return typeof value === 'string' ? [value] : [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
