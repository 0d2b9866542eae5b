// Images. Pulls answer by the name's first part: missing/ is denied with 404, broken/ fails in mid-stream, and
// slow/250 takes 250 ms; every other image exists in the registry.
import { ApiError, badRequest, conflict, notFound } from '../../../src/common/errors.ts';
import { isAtLeast } from './api-version.ts';
import type { Call } from './call.ts';
import { timeText, toSeconds } from './engine-state.ts';
import type { EngineState } from './engine-state.ts';
import { parseFilters, passes, passesLabels, passesNegatedLabels } from './filters.ts';
import type { Filters } from './filters.ts';
import { digestOf, familiarReference, repositoryOf, tagOf } from './image-reference.ts';
import type { JsonObject } from './json.ts';
import { publishImageEvent } from './lifecycle-events.ts';
import { flag, text } from './query.ts';
import type { ContainerRecord, ImageRecord } from './records.ts';
import { route } from './router.ts';
import { readFromTar, writeTar } from './tar.ts';

export const imageRoutes = [
  route('GET', '/images/json', list),
  route('GET', '/images/get', save),
  route('GET', '/images/search', search),
  route('POST', '/images/create', pullOrImport),
  route('POST', '/images/load', load),
  route('POST', '/images/prune', prune),
  route('GET', '/images/{name}/json', inspect),
  route('GET', '/images/{name}/history', history),
  route('GET', '/images/{name}/get', saveOne),
  route('POST', '/images/{name}/tag', tag),
  route('POST', '/images/{name}/push', push),
  route('DELETE', '/images/{name}', remove),
];

export function imageRow(state: EngineState, image: ImageRecord, apiVersion: string): JsonObject {
  const isUntagged = image.repoTags.length === 0 && !isAtLeast(apiVersion, '1.43');
  return {
    Containers: -1,
    Created: toSeconds(image.createdNano),
    Id: image.id,
    Labels: Object.keys(image.labels).length === 0 ? null : image.labels,
    ParentId: '',
    RepoDigests: image.repoDigests,
    RepoTags: isUntagged ? ['<none>:<none>'] : image.repoTags,
    SharedSize: -1,
    Size: image.sizeBytes,
    ...(!isAtLeast(apiVersion, '1.44') && { VirtualSize: image.sizeBytes }),
    ...(isAtLeast(state.settings.apiVersion, '1.51') && { Containers: usersOf(state, image).length }),
  };
}

function list(state: EngineState, call: Call): void {
  const accepted = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const listed = [...state.images.values()]
    .filter((image) => isListed(image, filters))
    .sort((a, b) => Number(b.createdNano - a.createdNano));
  call.json(
    200,
    listed.map((image) => imageRow(state, image, call.version)),
  );
}

function isListed(image: ImageRecord, filters: Filters): boolean {
  return (
    passes(filters, 'dangling', (value) => ['1', 'true'].includes(value) === (image.repoTags.length === 0)) &&
    passes(filters, 'reference', (value) => image.repoTags.some((name) => matchesReference(name, value))) &&
    passesLabels(filters, image.labels) &&
    passesNegatedLabels(filters, image.labels)
  );
}

function matchesReference(name: string, pattern: string): boolean {
  const glob = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  const expression = new RegExp(`^${glob}$`);
  return expression.test(name) || expression.test(repositoryOf(name));
}

function inspect(state: EngineState, call: Call, name: string): void {
  const image = state.findImage(name);
  if (!image) throw missingImage(name);
  const config = { Env: image.env, Cmd: image.command, Labels: image.labels, Entrypoint: null, Volumes: null };
  call.json(200, {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: '',
    Comment: '',
    Created: timeText(image.createdNano),
    ...(!isAtLeast(call.version, '1.45') && { Container: '', ContainerConfig: config }),
    DockerVersion: '',
    Author: '',
    Config: config,
    Architecture: 'amd64',
    Os: 'linux',
    Size: image.sizeBytes,
    ...(!isAtLeast(call.version, '1.44') && { VirtualSize: image.sizeBytes }),
    GraphDriver: { Data: {}, Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: [digestOf(`layer ${image.id}`)] },
    Metadata: { LastTagTime: timeText(0n) },
  });
}

function history(state: EngineState, call: Call, name: string): void {
  const image = state.findImage(name);
  if (!image) throw missingImage(name);
  const row = { Id: image.id, Created: toSeconds(image.createdNano), CreatedBy: '/bin/sh -c #(nop)', Comment: '' };
  call.json(200, [{ ...row, Tags: image.repoTags, Size: image.sizeBytes }]);
}

async function pullOrImport(state: EngineState, call: Call): Promise<void> {
  const source = call.query.get('fromImage') ?? '';
  if (source !== '') await pull(state, call, source);
  else await importImage(state, call);
}

async function pull(state: EngineState, call: Call, source: string): Promise<void> {
  const given = call.query.get('tag') ?? '';
  const separator = given.includes(':') ? '@' : ':';
  const reference = familiarReference(given === '' ? source : `${source}${separator}${given}`);
  const repository = repositoryOf(reference);
  if (repository.startsWith('missing/')) {
    throw new ApiError(
      404,
      `pull access denied for ${repository}, repository does not exist or may require 'docker login': ` +
        'denied: requested access to the resource is denied',
    );
  }
  const layer = digestOf(`layer ${reference}`).slice(7, 19);
  call.open('application/json');
  const send = (progress: JsonObject): void => {
    call.write(`${JSON.stringify(progress)}\r\n`);
  };
  send({ status: `Pulling from ${repository}`, id: tagOf(reference) });
  send({ status: 'Pulling fs layer', progressDetail: {}, id: layer });
  const slow = /^slow\/(\d+)/.exec(repository);
  if (slow) await call.sleep(Number(slow[1]));
  if (repository.startsWith('broken/')) {
    send({ errorDetail: { message: 'unexpected EOF' }, error: 'unexpected EOF' });
    call.end();
    return;
  }
  const isNew = state.findImage(reference) === undefined;
  state.addImage(reference, reference.includes('@') ? { repoDigests: [reference] } : {});
  publishImageEvent(state, reference, 'pull', repository);
  send({ status: 'Pull complete', progressDetail: {}, id: layer });
  send({ status: `Digest: ${digestOf(`manifest ${reference}`)}` });
  send({ status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${reference}` });
  call.end();
}

async function importImage(state: EngineState, call: Call): Promise<void> {
  const archive = await call.readBody();
  const repository = call.query.get('repo') ?? '';
  const id = digestOf(`import ${archive.toString('latin1')}`);
  const facts = { id, createdNano: state.journal.nowNano(), sizeBytes: call.received.bodyBytes, repoDigests: [] };
  if (repository === '') state.images.set(id, { ...state.addImage(id, facts), repoTags: [] });
  else state.addImage(`${repository}:${call.query.get('tag') ?? tagOf(repository)}`, facts);
  publishImageEvent(state, id, 'import', repository || id);
  call.open('application/json');
  call.write(`${JSON.stringify({ status: id })}\r\n`);
  call.end();
}

/** An archive that no engine of this kind made becomes one image, named loaded:latest. */
async function load(state: EngineState, call: Call): Promise<void> {
  const archive = await call.readBody();
  const saved = readFromTar(archive, 'manifest.json');
  const fallback = { Config: `${digestOf(archive.toString('latin1')).slice(7)}.json`, RepoTags: ['loaded:latest'] };
  const entries: unknown = saved ? JSON.parse(saved.toString('utf8')) : [fallback];
  call.open('application/json');
  for (const { id, references } of savedImages(entries)) {
    for (const reference of references) {
      state.addImage(reference, { id });
      publishImageEvent(state, id, 'load', reference);
      call.write(`${JSON.stringify({ stream: `Loaded image: ${reference}\n` })}\r\n`);
    }
  }
  call.end();
}

function savedImages(manifest: unknown): readonly { readonly id: string; readonly references: readonly string[] }[] {
  if (!Array.isArray(manifest)) throw badRequest('invalid archive: manifest.json holds no list');
  const entries = manifest as readonly { readonly Config: string; readonly RepoTags: readonly string[] | null }[];
  return entries.map(({ Config, RepoTags }) => ({
    id: `sha256:${Config.replace(/^blobs\/sha256\//, '').replace(/\.json$/, '')}`,
    references: RepoTags ?? [],
  }));
}

function save(state: EngineState, call: Call): void {
  sendArchive(
    state,
    call,
    call.query.getAll('names').flatMap((names) => names.split(',')),
  );
}

function saveOne(state: EngineState, call: Call, name: string): void {
  sendArchive(state, call, [name]);
}

function sendArchive(state: EngineState, call: Call, names: readonly string[]): void {
  const manifest = names.map((name) => {
    const image = state.findImage(name);
    if (!image) throw new ApiError(404, 'reference does not exist');
    const hasName = image.repoTags.includes(familiarReference(name));
    return { Config: `${image.id.slice(7)}.json`, RepoTags: hasName ? [familiarReference(name)] : null, Layers: [] };
  });
  const files = manifest.map(({ Config }): [string, Buffer] => [Config, Buffer.from('{}')]);
  const archive = writeTar({ 'manifest.json': Buffer.from(JSON.stringify(manifest)), ...Object.fromEntries(files) });
  for (const name of names) publishImageEvent(state, state.findImage(name)?.id ?? name, 'save', name);
  call.open('application/x-tar');
  call.end(archive);
}

function search(_state: EngineState, call: Call): void {
  const name = call.query.get('term') ?? '';
  if (name === '') throw badRequest('term is required');
  call.json(200, [{ star_count: 1, is_official: true, name, is_automated: false, description: `The image ${name}` }]);
}

function tag(state: EngineState, call: Call, name: string): void {
  const image = state.findImage(name);
  if (!image) throw notFound('image', familiarReference(name));
  const reference = familiarReference(`${call.query.get('repo') ?? ''}:${text(call.query, 'tag', 'latest')}`);
  state.addImage(reference, { id: image.id });
  publishImageEvent(state, image.id, 'tag', reference);
  call.empty(201);
}

function push(state: EngineState, call: Call, name: string): void {
  if (call.request.headers['x-registry-auth'] === undefined && !isAtLeast(state.settings.apiVersion, '1.42')) {
    throw badRequest('Bad parameters and missing X-Registry-Auth: EOF');
  }
  const tagName = text(call.query, 'tag', tagOf(name));
  const repository = repositoryOf(familiarReference(name));
  const image = state.findImage(`${repository}:${tagName}`);
  if (!image) throw new ApiError(404, `An image does not exist locally with the tag: ${repository}`);
  const digest = digestOf(`manifest ${repository}:${tagName}`);
  call.open('application/json');
  call.write(`${JSON.stringify({ status: `The push refers to repository [${repository}]` })}\r\n`);
  call.write(`${JSON.stringify({ status: `${tagName}: digest: ${digest} size: 527` })}\r\n`);
  call.write(`${JSON.stringify({ progressDetail: {}, aux: { Tag: tagName, Digest: digest, Size: 527 } })}\r\n`);
  publishImageEvent(state, `${repository}:${tagName}`, 'push', repository);
  call.end();
}

function remove(state: EngineState, call: Call, name: string): void {
  const image = state.findImage(name);
  if (!image) throw notFound('image', familiarReference(name));
  const familiar = familiarReference(name);
  const isById = !image.repoTags.includes(familiar);
  const isForced = flag(call.query, 'force');
  requireUnused(state, image, { reference: name, isById, isForced });
  const untagged = isById ? image.repoTags : [familiar];
  for (const reference of untagged) {
    state.untag(reference);
    publishImageEvent(state, image.id, 'untag', image.id);
  }
  const isDeleted = image.repoTags.length === 0 && (isForced || usersOf(state, image).length === 0);
  if (isDeleted) {
    state.images.delete(image.id);
    publishImageEvent(state, image.id, 'delete', image.id);
  }
  for (const container of usersOf(state, image)) container.texts = {};
  call.json(200, [...untagged.map((Untagged) => ({ Untagged })), ...(isDeleted ? [{ Deleted: image.id }] : [])]);
}

function requireUnused(
  state: EngineState,
  image: ImageRecord,
  { reference, isById, isForced }: { readonly reference: string; readonly isById: boolean; readonly isForced: boolean },
): void {
  const user = usersOf(state, image)[0];
  const shortId = image.id.slice(7, 19);
  if (isById && image.repoTags.length > 1 && !isForced) {
    throw conflict(
      `conflict: unable to delete ${shortId} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  if (!user || isForced || image.repoTags.length > 1) return;
  throw conflict(
    `conflict: unable to remove repository reference "${reference}" (must force) - ` +
      `container ${user.id.slice(0, 12)} is using its referenced image ${shortId}`,
  );
}

/** Without `dangling=false` only images that have no tag. */
function prune(state: EngineState, call: Call): void {
  const accepted = ['dangling', 'label', 'label!', 'until'];
  const filters = parseFilters(call.query.get('filters'), { apiVersion: state.settings.apiVersion, accepted });
  const takesTagged = filters.get('dangling')?.some((value) => ['0', 'false'].includes(value)) ?? false;
  const pruned = [...state.images.values()].filter(
    (image) =>
      usersOf(state, image).length === 0 &&
      (takesTagged || image.repoTags.length === 0) &&
      passesLabels(filters, image.labels) &&
      passesNegatedLabels(filters, image.labels),
  );
  for (const image of pruned) {
    state.images.delete(image.id);
    publishImageEvent(state, image.id, 'delete', image.id);
  }
  const deleted = pruned.flatMap(({ id, repoTags }) => [
    ...repoTags.map((Untagged) => ({ Untagged })),
    { Deleted: id },
  ]);
  const reclaimed = pruned.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  state.journal.publish({ type: 'image', action: 'prune', id: '', attributes: { reclaimed: String(reclaimed) } });
  call.json(200, { ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed });
}

function usersOf(state: EngineState, image: ImageRecord): ContainerRecord[] {
  return [...state.containers.values()].filter(({ imageId }) => imageId === image.id);
}

function missingImage(name: string): ApiError {
  return notFound('image', familiarReference(name));
}
