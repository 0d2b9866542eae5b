// The calls on images that exist: those that read go to the first engine that has the image, in the order of the
// nodes, so that answers do not flip; those that change go to every engine that has it.
import { ApiError, notFound } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import { isWireObject } from '../../docker/go-member.ts';
import { familiarReference, familiarRepository, parseImageReference } from '../../docker/image-reference.ts';
import type { ImageLocation } from '../../cluster/locations.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ExchangeAnswer } from '../../proxy/exchange.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import { askEngine, assertSuccess, callEngine, sendEngineAnswer } from '../engine-call.ts';
import { failures, fanOut, reachableEngines, successes } from '../fan-out.ts';
import type { Outcome } from '../fan-out.ts';
import { warnOfFailures } from '../node-warnings.ts';
import { refreshEngines } from '../refresh-engines.ts';
import type { Target } from '../route.ts';
import { effectiveVersion } from '../versions.ts';
import { imageInspectFor } from '../views/image-inspect.ts';
import { assertReachable } from './container-target.ts';
import { assertPlatformKnown } from './image-platform.ts';

const changeTimeoutMs = 5 * 60_000;

/** GET /images/{name}/json. */
export async function inspectImage(call: ApiCall): Promise<void> {
  const target = imageTarget(call, '/json');
  const answer = await callEngine(target, call);
  if (answer.statusCode !== 200) {
    sendEngineAnswer(call.res, answer);
    return;
  }
  const image: unknown = JSON.parse(answer.body.toString('utf8'));
  assertWantedPlatform(call, target.engine, image);
  const engineVersion = effectiveVersion(call.version, target.engine);
  const reader = { version: call.version, userAgent: call.req.headers['user-agent'], engineVersion };
  call.send(200, isWireObject(image) ? imageInspectFor(reader, image) : image);
}

/** GET /images/{name}/history. */
export function imageHistory(call: RequestCall): Target {
  const target = imageTarget(call, '/history');
  assertPlatformKnown(call, target.engine, '1.48');
  return target;
}

/** GET /images/{name}/get. */
export function saveImage(call: RequestCall): Target {
  const [engine] = locateSaved(call, imageName(call)).engines;
  assertPlatformKnown(call, engine, '1.48');
  return { engine, path: imagePath(call, '/get') };
}

/** GET /images/get: archives cannot be joined, so one engine must have all of the images. */
export function saveImages(call: RequestCall): Target {
  const [first, ...others] = call.query.getAll('names').filter((name) => name !== '');
  const owners = others.map((name) => new Set(locateSaved(call, name).engines));
  // An archive of nothing is the same everywhere.
  const candidates = first === undefined ? reachableEngines(call) : locateSaved(call, first).engines;
  const engine = candidates.find((candidate) => owners.every((set) => set.has(candidate)));
  if (engine === undefined) throw new ApiError(404, 'reference does not exist: no node has all of these images');
  assertReachable(engine);
  assertPlatformKnown(call, engine, '1.48');
  return { engine, path: '/images/get' };
}

/** Who saves an image is told of it as he wrote it. */
function locateSaved(call: RequestCall, name: string): ImageLocation {
  try {
    return locateImage(call, name);
  } catch (error) {
    throw error instanceof ApiError && error.status === 404 ? notFound('image', name) : error;
  }
}

/** POST /images/{name}/push. */
export function pushImage(call: RequestCall): Target {
  const engine = engineForPush(call);
  assertReachable(engine);
  assertPlatformKnown(call, engine, '1.46');
  // Engines before API 1.42 refuse a push that carries no credentials at all.
  const hasAuth = call.req.headers['x-registry-auth'] !== undefined;
  const headers = hasAuth ? {} : { 'X-Registry-Auth': 'e30=' };
  return { engine, path: imagePath(call, '/push'), headers, isProgress: true };
}

/** POST /images/{name}/tag. */
export async function tagImage(call: ApiCall): Promise<void> {
  const { engines } = locateImage(call, imageName(call));
  const outcomes = await changeOn(call, engines, '/tag');
  await refreshEngines(call, engines, 'Images');
  sendEngineAnswer(call.res, firstAnswer(call, outcomes));
}

/** DELETE /images/{name}: what one node removes is gone there, even when another node still uses it. */
export async function removeImage(call: ApiCall): Promise<void> {
  const { engines } = locateImage(call, imageName(call));
  for (const engine of engines) assertPlatformKnown(call, engine, '1.50', 'platforms');
  const outcomes = await changeOn(call, engines, '');
  await refreshEngines(call, engines, 'Images');
  firstAnswer(call, outcomes);
  const removed = successes(outcomes).flatMap(({ value }) => parseList(value.body));
  call.send(200, [...new Map(removed.map((entry) => [JSON.stringify(entry), entry])).values()]);
}

function imageName(call: RequestCall): string {
  return call.params['name'] ?? '';
}

function imagePath(call: RequestCall, action: string): string {
  return `/images/${encodeURIComponent(imageName(call))}${action}`;
}

function locateImage({ cluster }: RequestCall, reference: string): ImageLocation {
  const location = cluster.images.resolve(reference);
  assertReachable(location.engines[0]);
  return location;
}

function imageTarget(call: RequestCall, action: string): Target {
  const [engine] = locateImage(call, imageName(call)).engines;
  return { engine, path: imagePath(call, action) };
}

/** An engine that cannot choose a platform has one variant, which must be the wanted one. */
function assertWantedPlatform(call: ApiCall, engine: Engine, image: unknown): void {
  const wanted = call.query.get('platform') ?? '';
  const isChosen = compareApiVersion(engine.apiVersion.max, '1.49') >= 0 || compareApiVersion(call.version, '1.49') < 0;
  if (wanted === '' || isChosen || !isWireObject(image)) return;
  const { os, architecture } = parsePlatform(wanted);
  if (image['Os'] === os && image['Architecture'] === architecture) return;
  throw notFound('image', `${familiarReference(imageName(call))} for platform ${wanted}`);
}

/** `{"os":..,"architecture":..}`, as this argument is written from API 1.49 on. */
function parsePlatform(text: string): { readonly os: unknown; readonly architecture: unknown } {
  try {
    const parsed: unknown = JSON.parse(text);
    return isWireObject(parsed)
      ? { os: parsed['os'], architecture: parsed['architecture'] }
      : { os: undefined, architecture: undefined };
  } catch (error) {
    throw new ApiError(400, `invalid platform: ${text}`, { cause: error });
  }
}

/** The engine that inspects the image; without a tag the first one that has any image of the repository. */
function engineForPush(call: RequestCall): Engine {
  const name = imageName(call);
  const tag = call.query.get('tag') ?? '';
  if (tag !== '') return locateImage(call, `${name}:${tag}`).engines[0];
  const wanted = parseImageReference(name);
  const owner = call.cluster.members.healthyEngines.find((engine) =>
    engine.mirror.images.some(({ RepoTags }) => (RepoTags ?? []).some((known) => isOfRepository(known, wanted))),
  );
  if (owner === undefined) throw new ApiError(404, `An image does not exist locally with the tag: ${name}`);
  return owner;
}

function isOfRepository(reference: string, wanted: ReturnType<typeof parseImageReference>): boolean {
  const known = parseImageReference(reference);
  return known !== undefined && wanted !== undefined && familiarRepository(known) === familiarRepository(wanted);
}

async function changeOn(
  call: ApiCall,
  engines: readonly Engine[],
  action: string,
): Promise<readonly Outcome<ExchangeAnswer>[]> {
  const path = imagePath(call, action);
  const reachable = engines.filter((engine) => engine.state === 'healthy');
  return await fanOut(
    call,
    reachable,
    async (engine, signal) => {
      const answer = await askEngine({ engine, path }, call, { body: Buffer.alloc(0), signal });
      assertSuccess(answer);
      return answer;
    },
    { timeoutMs: changeTimeoutMs },
  );
}

/** The answer of the first engine that did it, with a warning that names the others; throws the first error when none did. */
function firstAnswer(call: ApiCall, outcomes: readonly Outcome<ExchangeAnswer>[]): ExchangeAnswer {
  const [first] = successes(outcomes);
  const failed = failures(outcomes);
  if (first === undefined) throw failed[0]?.error ?? notFound('image', familiarReference(imageName(call)));
  // A node that lost the image meanwhile has nothing to add.
  warnOfFailures(
    call,
    failed.filter(({ error }) => error.status !== 404),
  );
  return first.value;
}

function parseList(body: Buffer): readonly unknown[] {
  const list: unknown = JSON.parse(body.toString('utf8'));
  return Array.isArray(list) ? list : [];
}
