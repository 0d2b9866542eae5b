// How a node gets the image of a container that must run there. What came from a registry it pulls, with the caller's
// credentials; what was made here, what no registry gives any more, and what the node has another image of under the
// same name, it receives from a node that has it. Only a few copies are on their way at a time, and none twice.
import type { ProvideImage } from '../cluster/calls.ts';
import { watchForLoss } from '../cluster/engine-loss.ts';
import { pullImage } from '../cluster/create/provide-image.ts';
import { Deadline } from '../common/deadline.ts';
import { ApiError, errorMessage, unavailable } from '../common/errors.ts';
import { readNdjson } from '../common/ndjson.ts';
import type { Logger } from '../common/logger.ts';
import { isMadeHere } from '../docker/image-origin.ts';
import { matchesReference } from '../docker/image-reference.ts';
import type { ImageRow } from '../docker/types.ts';
import type { Engine } from '../engine/engine.ts';
import { Limiter } from '../engine/limiter.ts';
import { openStream } from '../proxy/open-stream.ts';
import { assertNoError, assertOpened } from './progress-fan-out.ts';

/** Every byte of a copy passes through the manager. */
const maxCopies = 4;

export function createProvideImage(logger: Logger): ProvideImage {
  const copies = new ImageCopies(logger);
  return async (engine, reference, options) => {
    const sources = options.sources.filter(({ info }) => info?.Architecture === engine.info?.Architecture);
    const image = sources.map((source) => imageOf(source, reference)).find((found) => found !== undefined);
    // What a registry has under the name may be another image altogether.
    const hasAnother = imageOf(engine, reference) !== undefined;
    if (image !== undefined && (isMadeHere(image) || hasAnother)) {
      const reason = hasAnother ? 'the node has another image of that name' : 'it was made here';
      await copies.toNode(engine, sources, { reference, reason });
      return;
    }
    try {
      await pullImage(engine, reference, options);
    } catch (error) {
      if (sources.length === 0 || options.signal.aborted) throw error;
      await copies.toNode(engine, sources, { reference, reason: errorMessage(error) });
    }
  };
}

interface Wanted {
  readonly reference: string;
  /** Why it is copied. */
  readonly reason: string;
}

class ImageCopies {
  readonly #logger: Logger;
  readonly #limiter = new Limiter(maxCopies);
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** From the first of `sources` that can give it; throws the last one's error when none can. */
  async toNode(target: Engine, sources: readonly Engine[], wanted: Wanted): Promise<void> {
    let failure: unknown;
    for (const source of sources) {
      try {
        await this.#copy(source, target, wanted);
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Not bound to the client that asked first: others may wait for the same copy. */
  async #copy(source: Engine, target: Engine, { reference, reason }: Wanted): Promise<void> {
    const key = `${target.address} ${reference} ${imageOf(source, reference)?.Id ?? ''}`;
    const known = this.#underWay.get(key);
    if (known !== undefined) {
      await known;
      return;
    }
    this.#logger.info('an image is copied', { image: reference, from: source.name, to: target.name, reason });
    const losses = [watchForLoss(source), watchForLoss(target)];
    const deadline = new Deadline(
      copyTimeoutMs,
      losses.map((loss) => loss.signal),
    );
    const { signal } = deadline;
    const copy = this.#limiter
      .run(() => copyOnce(source, target, { reference, signal }), signal)
      .catch((error: unknown) => {
        throw copyError(error, { source, target, reference });
      })
      .finally(() => {
        this.#underWay.delete(key);
        deadline.clear();
        for (const loss of losses) loss.stop();
      });
    this.#underWay.set(key, copy);
    await copy;
  }
}

/** The two ends of a copy fail together: which of them began is known only when one of them is lost. */
function copyError(
  error: unknown,
  { source, target, reference }: { readonly source: Engine; readonly target: Engine; readonly reference: string },
): ApiError {
  const lost = [source, target].find(({ state }) => state !== 'healthy');
  if (lost !== undefined) return unavailable(lost.name, lost.lastError ?? lost.state);
  const status = error instanceof ApiError ? error.status : 500;
  const reason = errorMessage(error instanceof ApiError ? (error.cause ?? error) : error);
  const ends = `from node ${source.name} to node ${target.name}`;
  return new ApiError(status, `image ${reference} could not be copied ${ends}: ${reason}`, { cause: error });
}

const copyTimeoutMs = 60 * 60_000;

async function copyOnce(
  source: Engine,
  target: Engine,
  { reference, signal }: { readonly reference: string; readonly signal: AbortSignal },
): Promise<void> {
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
  const wanted = imageOf(source, reference)?.Id;
  const got = imageOf(target, reference)?.Id;
  if (got !== undefined && (wanted === undefined || wanted === got || usesOtherStore(source, target))) return;
  throw new ApiError(500, `image ${reference} of node ${source.name} did not arrive unchanged on node ${target.name}`);
}

function imageOf(engine: Engine, reference: string): ImageRow | undefined {
  return engine.mirror.images.find(({ Id, RepoTags, RepoDigests }) =>
    matchesReference(reference, { id: Id, repoTags: RepoTags, repoDigests: RepoDigests }),
  );
}

/** Engines name an image by its configuration or by its manifest, as their store does. */
function usesOtherStore(source: Engine, target: Engine): boolean {
  return source.info?.Driver !== target.info?.Driver;
}
