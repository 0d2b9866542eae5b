// Plays scripts against one target, in order, and sweeps between them through the target's own API, so that each
// script begins on an empty host. What a script needs to know comes from its own earlier answers.
import { compileRoutes, parseRequestTarget } from '../../../src/api/match.ts';
import { routes } from '../../../src/api/routes.ts';
import { field } from '../document.ts';
import type { Peer } from '../rig/http-call.ts';
import { until } from '../until.ts';
import type { Answer, Exchange, Played, Scenario } from './exchange.ts';
import { send } from './send.ts';
import { sweep } from './sweep.ts';

const match = compileRoutes(routes);

/** All that came of playing `scenarios` at `version` against `target`. */
export async function play(target: Peer, version: string, scenarios: readonly Scenario[]): Promise<Played[]> {
  const played: Played[] = [];
  for (const scenario of scenarios) {
    played.push(...(await new Player(target, version, scenario.name).playAll(scenario.exchanges)));
    await sweep(target);
  }
  return played;
}

/** The route of an exchange, as the API's table writes it. */
export function routeOf({ method, path }: Pick<Exchange, 'method' | 'path'>): string {
  const found = match(method, parseRequestTarget(path).path);
  return found === undefined ? 'other' : `${found.route.method} ${found.route.pattern}`;
}

class Player {
  readonly #target: Peer;
  readonly #version: string;
  readonly #scenario: string;
  readonly #captured = new Map<string, string>();
  readonly #played: Played[] = [];

  constructor(target: Peer, version: string, scenario: string) {
    this.#target = target;
    this.#version = version;
    this.#scenario = scenario;
  }

  async playAll(exchanges: readonly Exchange[]): Promise<Played[]> {
    for (const exchange of exchanges) await this.#play(exchange);
    return this.#played;
  }

  async #play(exchange: Exchange): Promise<void> {
    const slot = this.#played.length;
    const version = exchange.version ?? this.#version;
    const title = `${this.#scenario} ${slot} (${version}): ${exchange.method} ${exchange.path}`;
    const placeholder: Answer = { status: 0, headers: {}, body: Buffer.alloc(0), end: 'broken' };
    const entry = {
      scenario: this.#scenario,
      title,
      route: routeOf(exchange),
      version,
      order: exchange.order ?? ('fixed' as const),
    };
    this.#played.push({ ...entry, answer: placeholder });
    const answer = await this.#answer(exchange, title);
    this.#played[slot] = { ...entry, answer };
    for (const [name, path] of Object.entries(exchange.capture ?? {})) {
      const value = field(parsed(answer.body), ...path);
      if (typeof value === 'string') this.#captured.set(name, value);
    }
  }

  async #answer(exchange: Exchange, title: string): Promise<Answer> {
    const once = async (): Promise<Answer> => {
      try {
        return await send({
          target: this.#target,
          path: `${prefix(exchange.version ?? this.#version)}${this.#filled(exchange.path)}`,
          exchange: exchange.json === undefined ? exchange : { ...exchange, json: this.#filledJson(exchange.json) },
          afterHead: async () => {
            for (const inner of exchange.during ?? []) await this.#play(inner);
          },
        });
      } catch (error) {
        throw new Error(`${this.#target.address}, ${title}`, { cause: error });
      }
    };
    const wanted = exchange.until;
    if (wanted === undefined) return await once();
    return await until(title, async () => {
      const answer = await once();
      const isThere = typeof wanted === 'number' ? answer.status === wanted : answer.body.includes(wanted);
      return isThere && answer;
    });
  }

  #filled(text: string): string {
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => this.#captured.get(name) ?? whole);
  }

  #filledJson(value: unknown): unknown {
    return JSON.parse(this.#filled(JSON.stringify(value)));
  }
}

function prefix(version: string): string {
  return version === 'none' ? '' : `/v${version}`;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
