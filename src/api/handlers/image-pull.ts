// POST /images/create: pulls an image on every node, or imports one from an archive. An import is done by one node
// and copied to the others, because each engine would give it an id of its own; a node that cannot pull gets a copy too.
import { badRequest } from '../../common/errors.ts';
import { parseImageReference } from '../../docker/image-reference.ts';
import type { Engine } from '../../engine/engine.ts';
import { openStream } from '../../proxy/open-stream.ts';
import type { ApiCall } from '../api-call.ts';
import { passedHeaders } from '../engine-call.ts';
import { reachableEngines, type Failure } from '../fan-out.ts';
import { answerWithProgress } from '../progress-fan-out.ts';
import { refreshEngines } from '../refresh-engines.ts';
import { effectivePath } from '../versions.ts';
import { copyImage } from './image-copy.ts';

/** So many nodes ask the registry at a time. */
const pullConcurrency = 16;

export async function pullOrImport(call: ApiCall): Promise<void> {
  const isImport = (call.query.get('fromSrc') ?? '') !== '';
  if (!isImport && (call.query.get('fromImage') ?? '') === '') throw badRequest('invalid reference format');
  await (isImport ? importImage(call) : pullImage(call));
}

async function pullImage(call: ApiCall): Promise<void> {
  await answerWithProgress(call, {
    engines: reachableEngines(call),
    concurrency: pullConcurrency,
    words: { begun: 'Pulling', done: 'Pull complete', mended: 'Copied from another node' },
    open: (engine, signal) =>
      openStream(engine.endpoint, {
        method: 'POST',
        path: effectivePath(call, engine, { path: '/images/create', search: call.search }),
        headers: passedHeaders(call.req),
        signal,
      }),
    afterwards: async (done, failed) => {
      await refreshEngines(call, done, 'Images');
      const left = await copyToFailed(call, done, failed);
      await refreshEngines(
        call,
        failed.map(({ engine }) => engine),
        'Images',
      );
      return left;
    },
    // No image for a node's processor is no failure where no other node has such a processor.
    counts: ({ engine }, done) => donorFor(engine, done) !== undefined,
  });
}

/** The failures that remain: of nodes to which the image could not be copied either. */
async function copyToFailed(
  call: ApiCall,
  done: readonly Engine[],
  failed: readonly Failure[],
): Promise<readonly Failure[]> {
  const reference = pulledReference(call);
  if (reference === undefined) return failed;
  const targets = new Map<Engine, Engine[]>();
  for (const { engine } of failed) {
    const donor = engine.state === 'healthy' ? donorFor(engine, done) : undefined;
    if (donor !== undefined) targets.set(donor, [...(targets.get(donor) ?? []), engine]);
  }
  const copies = await Promise.all(
    [...targets].map(async ([donor, engines]) => await copyImage(call, donor, engines, reference)),
  );
  const mended = new Set([...targets.values()].flat());
  for (const { engine } of copies.flat()) mended.delete(engine);
  return failed.filter(({ engine }) => !mended.has(engine));
}

/** An engine with the same kind of processor. */
function donorFor({ info }: Engine, done: readonly Engine[]): Engine | undefined {
  return done.find((donor) => donor.info?.Architecture === info?.Architecture);
}

/** Undefined when all tags of a repository were asked for. */
function pulledReference({ query }: ApiCall): string | undefined {
  const image = query.get('fromImage') ?? '';
  const tag = query.get('tag') ?? '';
  if (tag === '') return parseImageReference(image)?.tag === undefined ? undefined : image;
  return tag.includes(':') ? `${image}@${tag}` : `${image}:${tag}`;
}

async function importImage(call: ApiCall): Promise<void> {
  const [first, ...others] = reachableEngines(call);
  await answerWithProgress(call, {
    engines: [first],
    concurrency: 1,
    open: (engine, signal) =>
      openStream(engine.endpoint, {
        method: 'POST',
        path: effectivePath(call, engine, { path: '/images/create', search: call.search }),
        headers: passedHeaders(call.req),
        body: call.req,
        signal,
      }),
    afterwards: async (_done, importFailures) => {
      await refreshEngines(call, [first], 'Images');
      const reference = importedReference(call);
      const failed = reference === undefined ? [] : await copyImage(call, first, others, reference);
      await refreshEngines(call, others, 'Images');
      return [...importFailures, ...failed];
    },
  });
}

/** Undefined for an import without a name: it stays where it is, as a committed or built image does. */
function importedReference({ query }: ApiCall): string | undefined {
  const repository = query.get('repo') ?? '';
  const tag = query.get('tag') ?? '';
  if (repository === '') return undefined;
  return tag === '' ? repository : `${repository}:${tag}`;
}
