// The way of the clients to the managers: as a load balancer, it sends nobody to a manager that does not answer, and
// breaks the calls that wait for one. Beyond that it tries nothing by itself.
import { setTimeout as delay } from 'node:timers/promises';
import { field } from '../document.ts';
import { httpCall } from '../rig/http-call.ts';
import type { ClientAnswer } from './history.ts';

export interface BalancedCall {
  readonly client: string;
  readonly operation: string;
  /** Asked first; the others follow. */
  readonly manager: number;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface BalancedAnswer {
  /** 0: there was none. */
  readonly status: number;
  readonly json: unknown;
  readonly text: string;
}

interface Way {
  readonly name: string;
  readonly address: string;
  isUp: boolean;
  /** Aborts the calls that are under way. */
  broken: AbortController;
}

const lookEveryMs = 1_000;
const pingTimeoutMs = 2_000;
const failuresUntilDown = 2;
/** Longer than a manager holds any call. */
const callTimeoutMs = 60_000;

export class Balancer {
  readonly #ways: readonly Way[];
  readonly #tell: (answer: ClientAnswer) => void;
  readonly #ended = new AbortController();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(
    managers: readonly { readonly name: string; readonly address: string }[],
    tell: (answer: ClientAnswer) => void,
  ) {
    this.#ways = managers.map(({ name, address }) => ({ name, address, isUp: true, broken: new AbortController() }));
    this.#tell = tell;
  }

  start(): void {
    this.#looking = Promise.all(this.#ways.map((way) => this.#follow(way)));
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    for (const { broken } of this.#ways) broken.abort();
    await this.#looking;
  }

  /** One attempt; never rejects. */
  async call({ client, operation, manager, ...rest }: BalancedCall): Promise<BalancedAnswer> {
    const way = this.#wayFrom(manager);
    const sentMs = Date.now();
    const answer = await this.#ask(way, rest);
    const message = field(answer.json, 'message');
    this.#tell({
      client,
      operation,
      manager: way.name,
      sentMs,
      tookMs: Date.now() - sentMs,
      status: answer.status,
      message: typeof message === 'string' ? message : undefined,
    });
    return answer;
  }

  #wayFrom(manager: number): Way {
    const ordered = [...this.#ways.slice(manager), ...this.#ways.slice(0, manager)];
    const way = ordered.find(({ isUp }) => isUp) ?? ordered[0];
    if (way === undefined) throw new Error('there are no managers');
    return way;
  }

  async #ask(
    way: Way,
    { method, path, body, headers }: Pick<BalancedCall, 'method' | 'path' | 'body' | 'headers'>,
  ): Promise<BalancedAnswer> {
    try {
      return await httpCall({
        method,
        url: `http://${way.address}${path}`,
        timeoutMs: callTimeoutMs,
        signal: way.broken.signal,
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
    } catch {
      return { status: 0, json: undefined, text: '' };
    }
  }

  async #follow(way: Way): Promise<void> {
    let failures = 0;
    while (!this.#ended.signal.aborted) {
      failures = (await isAnswering(way.address)) ? 0 : failures + 1;
      if (failures === 0 && !way.isUp) way.broken = new AbortController();
      way.isUp = failures < failuresUntilDown && (way.isUp || failures === 0);
      if (!way.isUp) way.broken.abort();
      await delay(lookEveryMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }
}

async function isAnswering(address: string): Promise<boolean> {
  try {
    const { status } = await httpCall({ method: 'GET', url: `http://${address}/_ping`, timeoutMs: pingTimeoutMs });
    return status === 200;
  } catch {
    return false;
  }
}
