// Plugins of one engine. Pulls of names under missing/ are denied; everything else exists in the registry.
import { ApiError, conflict } from '../../../src/common/errors.ts';
import type { Call } from './call.ts';
import type { EngineState } from './engine-state.ts';
import { digestOf } from './image-reference.ts';
import type { JsonObject } from './json.ts';
import { flag } from './query.ts';
import type { PluginRecord } from './records.ts';
import { route } from './router.ts';

export const pluginRoutes = [
  route('GET', '/plugins', list),
  route('GET', '/plugins/privileges', privileges),
  route('POST', '/plugins/pull', pull),
  route('POST', '/plugins/create', create),
  route('GET', '/plugins/{name}/json', inspect),
  route('POST', '/plugins/{name}/enable', enable),
  route('POST', '/plugins/{name}/disable', disable),
  route('POST', '/plugins/{name}/set', set),
  route('POST', '/plugins/{name}/upgrade', upgrade),
  route('POST', '/plugins/{name}/push', push),
  route('DELETE', '/plugins/{name}', remove),
];

function list(state: EngineState, call: Call): void {
  call.json(200, [...state.plugins.values()].map(document));
}

function document({ id, name, isEnabled }: PluginRecord): JsonObject {
  return { Id: id, Name: name, Enabled: isEnabled, PluginReference: `docker.io/${name}`, Settings: {}, Config: {} };
}

function privileges(_state: EngineState, call: Call): void {
  call.json(200, [{ Name: 'network', Description: 'permissions to access a network', Value: ['host'] }]);
}

async function pull(state: EngineState, call: Call): Promise<void> {
  await call.readBody();
  const name = call.query.get('name') ?? call.query.get('remote') ?? '';
  if (name.startsWith('missing/')) throw new ApiError(404, `pull access denied for ${name}`);
  call.open('application/json');
  call.write(`${JSON.stringify({ status: 'Downloading', progressDetail: {}, id: digestOf(name).slice(7, 19) })}\r\n`);
  state.plugins.set(name, { id: state.newId(), name, isEnabled: false });
  call.write(`${JSON.stringify({ status: `Digest: ${digestOf(name)}` })}\r\n`);
  call.end();
}

async function create(state: EngineState, call: Call): Promise<void> {
  await call.readBody();
  const name = call.query.get('name') ?? '';
  state.plugins.set(name, { id: state.newId(), name, isEnabled: false });
  call.empty(204);
}

function inspect(state: EngineState, call: Call, name: string): void {
  call.json(200, document(plugin(state, name)));
}

function enable(state: EngineState, call: Call, name: string): void {
  plugin(state, name).isEnabled = true;
  call.empty(200);
}

function disable(state: EngineState, call: Call, name: string): void {
  plugin(state, name).isEnabled = false;
  call.empty(200);
}

async function set(state: EngineState, call: Call, name: string): Promise<void> {
  await call.readBody();
  plugin(state, name);
  call.empty(204);
}

async function upgrade(state: EngineState, call: Call, name: string): Promise<void> {
  await call.readBody();
  plugin(state, name);
  call.open('application/json');
  call.write(`${JSON.stringify({ status: 'Upgraded', id: digestOf(name).slice(7, 19) })}\r\n`);
  call.end();
}

function push(state: EngineState, call: Call, name: string): void {
  plugin(state, name);
  call.open('application/json');
  call.write(`${JSON.stringify({ status: 'Pushed' })}\r\n`);
  call.end();
}

function remove(state: EngineState, call: Call, name: string): void {
  const found = plugin(state, name);
  if (found.isEnabled && !flag(call.query, 'force')) throw conflict(`plugin ${name} is enabled`);
  state.plugins.delete(name);
  call.json(200, document(found));
}

function plugin(state: EngineState, name: string): PluginRecord {
  const found = state.plugins.get(name);
  if (!found) throw new ApiError(404, `plugin ${JSON.stringify(name)} not found`);
  return found;
}
