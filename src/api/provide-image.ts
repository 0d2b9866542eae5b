// How a node gets the image of a container that must run there: it pulls it with the caller's credentials, and where
// no registry gives it, or the node has another image of that name, it receives it from a node that has it. Copies of
// one image to one node are made once.
import type { ProvideImage } from '../cluster/calls.ts';
import { pullImage } from '../cluster/provide-image.ts';
import { errorMessage, ApiError } from '../common/errors.ts';
import { readNdjson } from '../common/ndjson.ts';
import type { Logger } from '../common/logger.ts';
import { matchesReference } from '../docker/image-reference.ts';
import type { Engine } from '../engine/engine.ts';
import { openStream } from '../proxy/open-stream.ts';
import { assertNoError, assertOpened } from './progress-fan-out.ts';

export function createProvideImage(logger: Logger): ProvideImage {
  const underWay = new Map<string, Promise<void>>();
  const copyTo = async (engine: Engine, source: Engine, reference: string, reason: string): Promise<void> => {
    logger.info('an image is copied', { image: reference, from: source.name, to: engine.name, reason });
    const key = `${engine.address} ${reference} ${imageId(source, reference) ?? ''}`;
    const copy = underWay.get(key) ?? copyOnce(source, engine, reference).finally(() => underWay.delete(key));
    underWay.set(key, copy);
    await copy;
  };
  return async (engine, reference, options) => {
    const [source] = options.sources;
    // What a registry has under the name may be neither of the two.
    if (source !== undefined && imageId(engine, reference) !== undefined) {
      await copyTo(engine, source, reference, 'the node has another image of that name');
      return;
    }
    try {
      await pullImage(engine, reference, options);
    } catch (error) {
      if (source === undefined || options.signal.aborted) throw error;
      await copyTo(engine, source, reference, errorMessage(error));
    }
  };
}

const copyTimeoutMs = 60 * 60_000;

/** Not bound to the client that asked first: others may wait for the same copy. */
async function copyOnce(source: Engine, target: Engine, reference: string): Promise<void> {
  const signal = AbortSignal.timeout(copyTimeoutMs);
  const path = `/images/get?${new URLSearchParams({ names: reference }).toString()}`;
  const archive = await assertOpened(await openStream(source.endpoint, { method: 'GET', path, signal }));
  try {
    const loading = await openStream(target.endpoint, {
      method: 'POST',
      path: '/images/load?quiet=1',
      headers: { 'Content-Type': 'application/x-tar' },
      body: archive.stream,
      signal,
    });
    for await (const line of readNdjson((await assertOpened(loading)).stream)) assertNoError(line);
  } finally {
    archive.stream.destroy();
  }
  await target.refreshImages();
  assertSameImage(source, target, reference);
}

/** An archive that arrived as something else must not run in its place. */
function assertSameImage(source: Engine, target: Engine, reference: string): void {
  const wanted = imageId(source, reference);
  const got = imageId(target, reference);
  if (got !== undefined && (wanted === undefined || wanted === got || usesOtherStore(source, target))) return;
  throw new ApiError(500, `image ${reference} of node ${source.name} did not arrive unchanged on node ${target.name}`);
}

function imageId(engine: Engine, reference: string): string | undefined {
  return engine.mirror.images.find(({ Id, RepoTags, RepoDigests }) =>
    matchesReference(reference, { id: Id, repoTags: RepoTags, repoDigests: RepoDigests }),
  )?.Id;
}

/** Engines name an image by its configuration or by its manifest, as their store does. */
function usesOtherStore(source: Engine, target: Engine): boolean {
  return source.info?.Driver !== target.info?.Driver;
}
