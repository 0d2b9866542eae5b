// Containers: everything that is one request and one answer. Streams are in routes-container-streams.ts.
import { badRequest, conflict } from '../../../src/common/errors.ts';
import type { Call } from './call.ts';
import { createContainer } from './container-creation.ts';
import { inspectDocument, inspectJson, listRowText, listRowWithSize } from './container-documents.ts';
import {
  isRunning,
  killContainer,
  pauseContainer,
  removeContainer,
  renameContainer,
  requireRunning,
  restartContainer,
  startContainer,
  stopContainer,
  unpauseContainer,
  updateContainer,
} from './container-lifecycle.ts';
import { listedContainers } from './container-list.ts';
import type { EngineState } from './engine-state.ts';
import { parseFilters, passesLabels, passesNegatedLabels } from './filters.ts';
import { digestOf } from './image-reference.ts';
import { textAt } from './json.ts';
import { publishContainerEvent, publishImageEvent } from './lifecycle-events.ts';
import { flag, text, wholeNumber } from './query.ts';
import { route } from './router.ts';
import { writeTar } from './tar.ts';

export const containerRoutes = [
  route('GET', '/containers/json', list),
  route('POST', '/containers/create', create),
  route('POST', '/containers/prune', prune),
  route('GET', '/containers/{name}/json', inspect),
  route('GET', '/containers/{name}/top', top),
  route('GET', '/containers/{name}/changes', changes),
  route('GET', '/containers/{name}/export', exportArchive),
  route('GET', '/containers/{name}/archive', readArchive),
  route('HEAD', '/containers/{name}/archive', statArchive),
  route('PUT', '/containers/{name}/archive', writeArchive),
  route('POST', '/containers/{name}/start', start),
  route('POST', '/containers/{name}/stop', stop),
  route('POST', '/containers/{name}/restart', restart),
  route('POST', '/containers/{name}/kill', kill),
  route('POST', '/containers/{name}/pause', pause),
  route('POST', '/containers/{name}/unpause', unpause),
  route('POST', '/containers/{name}/rename', rename),
  route('POST', '/containers/{name}/update', update),
  route('POST', '/containers/{name}/resize', resize),
  route('DELETE', '/containers/{name}', remove),
  route('DELETE', '/containers/?', removeNameless),
  route('POST', '/commit', commit),
];

function list(state: EngineState, call: Call): void {
  const listed = listedContainers(state, call);
  if (flag(call.query, 'size')) {
    call.json(
      200,
      listed.map((container) => listRowWithSize(state, container)),
    );
    return;
  }
  call.jsonText(200, `[${listed.map((container) => listRowText(state, container)).join(',')}]\n`);
}

async function create(state: EngineState, call: Call): Promise<void> {
  const { body, bodyText } = await call.readJsonText();
  if (bodyText === '') throw badRequest('Config cannot be empty in order to create a container');
  const container = createContainer(state, { name: call.query.get('name') ?? '', body, bodyText });
  call.json(201, { Id: container.id, Warnings: [] });
}

function inspect(state: EngineState, call: Call, name: string): void {
  const container = state.container(name);
  if (flag(call.query, 'size')) {
    call.json(200, { ...inspectDocument(state, container, call.version), SizeRw: 12_288, SizeRootFs: 4_273_790 });
    return;
  }
  call.bytes(200, 'application/json', inspectJson(state, container, call.version));
}

function start(state: EngineState, call: Call, name: string): void {
  const { headers } = call.request;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 7) {
    throw badRequest(
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
  }
  call.empty(startContainer(state, state.container(name)) ? 204 : 304);
}

function stop(state: EngineState, call: Call, name: string): void {
  const signal = text(call.query, 'signal', 'SIGTERM');
  call.empty(stopContainer(state, state.container(name), signal) ? 204 : 304);
}

function restart(state: EngineState, call: Call, name: string): void {
  restartContainer(state, state.container(name));
  call.empty(204);
}

function kill(state: EngineState, call: Call, name: string): void {
  killContainer(state, state.container(name), text(call.query, 'signal', 'SIGKILL'));
  call.empty(204);
}

function pause(state: EngineState, call: Call, name: string): void {
  pauseContainer(state, state.container(name));
  call.empty(204);
}

function unpause(state: EngineState, call: Call, name: string): void {
  unpauseContainer(state, state.container(name));
  call.empty(204);
}

function rename(state: EngineState, call: Call, name: string): void {
  renameContainer(state, state.container(name), call.query.get('name') ?? '');
  call.empty(204);
}

async function update(state: EngineState, call: Call, name: string): Promise<void> {
  const container = state.container(name);
  updateContainer(state, container, await call.readJson());
  call.json(200, { Warnings: null });
}

function resize(state: EngineState, call: Call, name: string): void {
  const container = state.container(name);
  const size = { height: wholeNumber(call.query, 'h') ?? 0, width: wholeNumber(call.query, 'w') ?? 0 };
  requireRunning(container);
  publishContainerEvent(state, container, 'resize', { height: String(size.height), width: String(size.width) });
  call.empty(200);
}

function top(state: EngineState, call: Call, name: string): void {
  const container = state.container(name);
  requireRunning(container);
  publishContainerEvent(state, container, 'top');
  call.json(200, {
    Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    Processes: [['root', String(container.pid), '1', '0', '00:00', '?', '00:00:00', container.command.join(' ')]],
  });
}

function changes(state: EngineState, call: Call, name: string): void {
  const paths = [...(state.archives.get(state.container(name).id)?.keys() ?? [])];
  call.json(200, paths.length === 0 ? null : paths.map((Path) => ({ Path, Kind: 1 })));
}

function exportArchive(state: EngineState, call: Call, name: string): void {
  const container = state.container(name);
  publishContainerEvent(state, container, 'export');
  call.open('application/octet-stream');
  call.end(writeTar({ 'etc/hostname': Buffer.from(`${container.id.slice(0, 12)}\n`) }));
}

/** Answers with the archive that was put at that path; at any other path there is one small file. */
function readArchive(state: EngineState, call: Call, name: string): void {
  const container = state.container(name);
  const path = archivePath(call);
  const archive =
    state.archives.get(container.id)?.get(path) ?? writeTar({ [fileName(path)]: Buffer.from(`${path}\n`) });
  publishContainerEvent(state, container, 'archive-path');
  call.bytes(200, 'application/x-tar', archive, pathStat(path, archive));
}

function statArchive(state: EngineState, call: Call, name: string): void {
  const container = state.container(name);
  const path = archivePath(call);
  call.empty(200, pathStat(path, state.archives.get(container.id)?.get(path) ?? Buffer.alloc(0)));
}

async function writeArchive(state: EngineState, call: Call, name: string): Promise<void> {
  const container = state.container(name);
  const path = archivePath(call);
  const archive = await call.readBody();
  state.archives.set(container.id, (state.archives.get(container.id) ?? new Map<string, Buffer>()).set(path, archive));
  publishContainerEvent(state, container, 'extract-to-dir');
  call.empty(200);
}

function archivePath(call: Call): string {
  const path = call.query.get('path') ?? '';
  if (path === '') throw badRequest('bad parameter: pathcannot be empty');
  return path;
}

function pathStat(path: string, archive: Buffer): Readonly<Record<string, string>> {
  const stat = { name: fileName(path), size: archive.length, mode: 420, mtime: '2024-01-01T00:00:00Z', linkTarget: '' };
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64') };
}

function fileName(path: string): string {
  const last = path.split('/').at(-1) ?? '';
  return last === '' ? 'file' : last;
}

function remove(state: EngineState, call: Call, name: string): void {
  const options = { force: flag(call.query, 'force'), withVolumes: flag(call.query, 'v') };
  removeContainer(state, state.container(name), options);
  call.empty(204);
}

function removeNameless(): void {
  throw badRequest('invalid name or ID supplied: ""');
}

function prune(state: EngineState, call: Call): void {
  const accepted = ['label', 'label!', 'until'];
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const pruned = [...state.containers.values()].filter(
    (container) =>
      !isRunning(container) &&
      passesLabels(filters, container.labels) &&
      passesNegatedLabels(filters, container.labels),
  );
  for (const container of pruned) removeContainer(state, container, { force: false, withVolumes: false });
  state.journal.publish({ type: 'container', action: 'prune', id: '', attributes: { reclaimed: '0' } });
  call.json(200, { ContainersDeleted: pruned.length === 0 ? null : pruned.map(({ id }) => id), SpaceReclaimed: 0 });
}

async function commit(state: EngineState, call: Call): Promise<void> {
  const container = state.container(call.query.get('container') ?? '');
  if (container.status === 'paused' && flag(call.query, 'pause', true)) throw conflict('container is already paused');
  const config = await call.readJson();
  const repository = call.query.get('repo') ?? '';
  const id = digestOf(`commit ${state.newId()} ${textAt(config, 'Image')}`);
  const facts = { id, createdNano: state.journal.nowNano(), labels: container.labels, repoDigests: [] };
  if (repository === '') state.images.set(id, { ...state.addImage(id, facts), repoTags: [] });
  else state.addImage(`${repository}:${text(call.query, 'tag', 'latest')}`, facts);
  publishContainerEvent(state, container, 'commit');
  if (repository !== '') publishImageEvent(state, id, 'tag', `${repository}:${text(call.query, 'tag', 'latest')}`);
  call.json(201, { Id: id });
}
