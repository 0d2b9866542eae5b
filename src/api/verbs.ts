// What each route does, in the words of the rules. A route that is missing here is nobody's but that of a caller who may do all.
import { verbs as allVerbs, type Verb } from '../authorization/rules.ts';
import type { Route } from './route.ts';

/** Clients ask these before anything else, and they tell nothing. */
const free: ReadonlySet<string> = new Set(['GET /_ping', 'HEAD /_ping', 'GET /version']);

const routesOf: Readonly<Record<Verb, readonly string[]>> = {
  read: [
    'GET /info',
    'GET /events',
    'GET /system/df',
    'GET /containers/json',
    'GET /containers/{name*}/json',
    'GET /containers/{name*}/top',
    'GET /containers/{name*}/changes',
    'GET /containers/{name*}/stats',
    'GET /containers/{name*}/checkpoints',
    'POST /containers/{name*}/wait',
    'GET /exec/{id*}/json',
    'GET /images/json',
    'GET /images/search',
    'GET /images/{name*}/json',
    'GET /images/{name*}/history',
    'GET /distribution/{name*}/json',
    'GET /networks',
    'GET /networks/',
    'GET /networks/{name*}',
    'GET /volumes',
    'GET /volumes/{name*}',
    'GET /plugins',
    'GET /plugins/privileges',
    'GET /plugins/{name*}/json',
    'GET /swarm',
    'GET /nodes',
    'GET /nodes/{id}',
    'GET /services',
    'GET /services/{id}',
    'GET /tasks',
    'GET /tasks/{id}',
    'GET /secrets',
    'GET /secrets/{id}',
    'GET /configs',
    'GET /configs/{id}',
  ],
  logs: ['GET /containers/{name*}/logs', 'GET /services/{id}/logs', 'GET /tasks/{id}/logs'],
  copy: [
    'HEAD /containers/{name*}/archive',
    'GET /containers/{name*}/archive',
    'PUT /containers/{name*}/archive',
    'GET /containers/{name*}/export',
  ],
  create: ['POST /containers/create'],
  run: [
    'POST /containers/{name*}/start',
    'POST /containers/{name*}/stop',
    'POST /containers/{name*}/restart',
    'POST /containers/{name*}/kill',
    'POST /containers/{name*}/pause',
    'POST /containers/{name*}/unpause',
    'POST /containers/{name*}/update',
    'POST /containers/{name*}/rename',
    'POST /containers/{name*}/resize',
    'POST /containers/{name*}/attach',
    'GET /containers/{name*}/attach/ws',
    'POST /containers/{name*}/checkpoints',
    'DELETE /containers/{name*}/checkpoints/{checkpoint}',
  ],
  exec: ['POST /containers/{name*}/exec', 'POST /exec/{id*}/start', 'POST /exec/{id*}/resize'],
  remove: ['DELETE /containers/{name*}', 'POST /containers/prune'],
  build: ['POST /build', 'POST /build/cancel', 'POST /build/prune', 'POST /session', 'POST /grpc', 'POST /commit'],
  image: [
    'POST /auth',
    'GET /images/get',
    'GET /images/{name*}/get',
    'POST /images/create',
    'POST /images/load',
    'POST /images/prune',
    'POST /images/{name*}/push',
    'POST /images/{name*}/tag',
    'DELETE /images/{name*}',
  ],
  network: [
    'POST /networks/create',
    'POST /networks/prune',
    'POST /networks/{name*}/connect',
    'POST /networks/{name*}/disconnect',
    'DELETE /networks/{name*}',
  ],
  volume: ['POST /volumes/create', 'POST /volumes/prune', 'PUT /volumes/{name*}', 'DELETE /volumes/{name*}'],
  plugin: [
    'POST /plugins/pull',
    'POST /plugins/create',
    'POST /plugins/{name*}/enable',
    'POST /plugins/{name*}/disable',
    'POST /plugins/{name*}/set',
    'POST /plugins/{name*}/upgrade',
    'POST /plugins/{name*}/push',
    'DELETE /plugins/{name*}',
  ],
  node: [
    'GET /swarm/unlockkey',
    'POST /swarm/init',
    'POST /swarm/join',
    'POST /swarm/leave',
    'POST /swarm/update',
    'POST /swarm/unlock',
    'POST /nodes/{id}/update',
    'DELETE /nodes/{id}',
    'POST /services/create',
    'POST /services/{id}/update',
    'DELETE /services/{id}',
    'POST /secrets/create',
    'POST /secrets/{id}/update',
    'DELETE /secrets/{id}',
    'POST /configs/create',
    'POST /configs/{id}/update',
    'DELETE /configs/{id}',
  ],
};

const verbByRoute: ReadonlyMap<string, Verb> = new Map(
  allVerbs.flatMap((verb) => routesOf[verb].map((route) => [route, verb] as const)),
);

/** "POST /containers/create". */
export function routeName({ method, pattern }: Pick<Route, 'method' | 'pattern'>): string {
  return `${method} ${pattern}`;
}

/** `free`: everybody's. `unknown`: that of callers who may do everything. */
export function verbOf(route: Pick<Route, 'method' | 'pattern'>): Verb | 'free' | 'unknown' {
  const name = routeName(route);
  return free.has(name) ? 'free' : (verbByRoute.get(name) ?? 'unknown');
}

/** Whether the call may change something, or takes part in what runs. */
export function isMutating({ method, pattern }: Pick<Route, 'method' | 'pattern'>): boolean {
  if (pattern === '/containers/{name*}/attach/ws') return true;
  return method !== 'GET' && method !== 'HEAD' && pattern !== '/containers/{name*}/wait' && pattern !== '/auth';
}
