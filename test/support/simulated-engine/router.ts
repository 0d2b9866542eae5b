// Finds the handler of a request. Names in paths are greedy and may hold slashes; the action is the last segment.
import type { Call } from './call.ts';
import type { EngineState } from './engine-state.ts';

/** `name` is the object that the path names; empty where it names none. */
export type Handler = (state: EngineState, call: Call, name: string) => void | Promise<void>;

export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handler: Handler;
}

/** `template` is a path in which {name} stands for one or more segments. */
export function route(method: string, template: string, handler: Handler): Route {
  return { method, pattern: new RegExp(`^${template.replace('{name}', '(.+)')}$`), handler };
}

export class Router {
  readonly #routes = new Map<string, Route[]>();

  constructor(routes: readonly Route[]) {
    for (const entry of routes) {
      const key = routeKey(entry.method, entry.pattern.source.replace(/^\^/, '').replaceAll('\\', '').replace('$', ''));
      this.#routes.set(key, [...(this.#routes.get(key) ?? []), entry]);
    }
  }

  /** Undefined for an unknown path and for a known path with another method. The first route that fits wins. */
  find(method: string, path: string): { readonly handler: Handler; readonly name: string } | undefined {
    for (const { pattern, handler } of this.#routes.get(routeKey(method, path)) ?? []) {
      const match = pattern.exec(path);
      if (match) return { handler, name: match[1] ?? '' };
    }
    return undefined;
  }
}

function routeKey(method: string, path: string): string {
  return `${method} ${path.split('/')[1] ?? ''}`;
}
