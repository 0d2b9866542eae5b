// Finds the route of a request: patterns are compiled once, and matched in table order on the percent-decoded
// path without its version. Both entry points of the server, request and upgrade, come through here.
import { badRequest } from '../common/errors.ts';
import type { Method, Route } from './route.ts';

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export type Matcher = (method: string, path: string) => Match | undefined;

interface CompiledRoute {
  readonly route: Route;
  readonly pattern: RegExp;
}

/** A matcher over `routes`; the first route that fits wins. Undefined: no such path, or not with this method. */
export function compileRoutes(routes: readonly Route[]): Matcher {
  const byMethod = new Map<string, CompiledRoute[]>();
  for (const route of routes) {
    const list = byMethod.get(route.method) ?? [];
    list.push({ route, pattern: compilePattern(route.pattern) });
    byMethod.set(route.method satisfies Method, list);
  }
  return (method, path) => {
    for (const { route, pattern } of byMethod.get(method) ?? []) {
      const found = pattern.exec(path);
      if (found) return { route, params: { ...found.groups } };
    }
    return undefined;
  };
}

export interface RequestLine {
  /** "1.41"; undefined when the path carries none. */
  readonly version: string | undefined;
  /** Percent-decoded, without version and query. */
  readonly path: string;
  /** Without "?", as the client wrote it. */
  readonly search: string;
}

/** Takes the parts of a request target apart. Throws ApiError 400 when its percent-encoding is broken. */
export function parseRequestTarget(url: string): RequestLine {
  const [rawPath = '', ...rest] = withoutOrigin(url).split('?');
  const decoded = decodePath(rawPath);
  const [, version, path = decoded] = /^\/v([0-9.]+)(\/.*)$/s.exec(decoded) ?? [];
  return { version, path, search: rest.join('?') };
}

/**
 * The path to redirect to when that of `url`, percent-decoded, has empty or dot segments, as Go's router does; undefined
 * when it is clean. Throws ApiError 400 when its percent-encoding is broken.
 */
export function cleanedPath(url: string): string | undefined {
  const rawPath = withoutOrigin(url).split('?', 1).join('');
  const path = decodePath(rawPath);
  if (!/\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return undefined;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const trailing = path.endsWith('/') && kept.length > 0 ? '/' : '';
  const cleaned = `/${kept.join('/')}${trailing}`;
  return `${encodePath(cleaned)}${url.slice(url.indexOf(rawPath) + rawPath.length)}`;
}

function compilePattern(pattern: string): RegExp {
  const source = pattern
    .split(/(\{\w+\*?\})/)
    .map((part) => {
      const variable = /^\{(\w+)(\*?)\}$/.exec(part);
      if (!variable) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      return `(?<${variable[1] ?? ''}>${variable[2] === '*' ? '.*' : '[^/]+'})`;
    })
    .join('');
  return new RegExp(`^${source}$`, 's');
}

/** A request target may be absolute ("http://host/path"); only its path matters. */
function withoutOrigin(url: string): string {
  return url.replace(/^https?:\/\/[^/?]*/i, '');
}

/** A question mark and a hash would end it. */
function encodePath(path: string): string {
  return encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23');
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    throw badRequest(`invalid URL escape in ${path.slice(0, 200)}`, { cause: error });
  }
}
