// The few things that the agent asks its engine about itself: where its data is, and which ports its containers hold.
import http from 'node:http';
import type { TakenPort } from '../engine/announced-facts.ts';
import { exchange } from '../proxy/exchange.ts';
import type { EnginePlace } from './engine-probe.ts';

const timeoutMs = 5_000;

export class EngineView {
  readonly #place: EnginePlace;

  constructor(place: EnginePlace) {
    this.#place = place;
  }

  /** undefined when the engine does not tell. Rejects when it does not answer. */
  async dataRoot(signal: AbortSignal): Promise<string | undefined> {
    const root = membersOf(await this.#ask('/info', signal)).get('DockerRootDir');
    return typeof root === 'string' && root !== '' ? root : undefined;
  }

  /** The published ports of running containers. Rejects when the engine does not answer. */
  async publishedPorts(signal: AbortSignal): Promise<readonly TakenPort[]> {
    const rows = listOf(await this.#ask('/containers/json', signal));
    return rows.flatMap((row) => listOf(membersOf(row).get('Ports'))).flatMap(publishedPort);
  }

  async #ask(path: string, signal: AbortSignal): Promise<unknown> {
    const place = 'socketPath' in this.#place ? { host: 'localhost', port: 0, ...this.#place } : this.#place;
    const agent = new http.Agent({ keepAlive: false });
    const { statusCode, body } = await exchange(
      { name: 'of the agent', agent, ...place },
      { method: 'GET', path, signal, timeoutMs },
    );
    if (statusCode !== 200) throw new Error(`the engine answered ${path} with ${statusCode}`);
    return JSON.parse(body.toString('utf8'));
  }
}

function publishedPort(row: unknown): readonly TakenPort[] {
  const members = membersOf(row);
  const [ip, port, protocol] = [members.get('IP'), members.get('PublicPort'), members.get('Type')];
  if (typeof port !== 'number' || (protocol !== 'tcp' && protocol !== 'udp')) return [];
  return [{ protocol, ip: ip === '0.0.0.0' || ip === '::' || typeof ip !== 'string' ? '' : ip, port }];
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
