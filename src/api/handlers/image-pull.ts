// POST /images/create: pulls an image on every node, or imports one from an archive. An import is done by one node
// and copied to the others, because each engine would give it an id of its own.
import { badRequest } from '../../common/errors.ts';
import { openStream } from '../../proxy/open-stream.ts';
import type { ApiCall } from '../api-call.ts';
import { passedHeaders } from '../engine-call.ts';
import { reachableEngines } from '../fan-out.ts';
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
    words: { begun: 'Pulling', done: 'Pull complete' },
    open: (engine, signal) =>
      openStream(engine.endpoint, {
        method: 'POST',
        path: effectivePath(call, engine, { path: '/images/create', search: call.search }),
        headers: passedHeaders(call.req),
        signal,
      }),
    afterwards: async (engines) => {
      await refreshEngines(call, engines, 'Images');
      return [];
    },
  });
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
    afterwards: async () => {
      await refreshEngines(call, [first], 'Images');
      const reference = importedReference(call);
      const failed = reference === undefined ? [] : await copyImage(call, first, others, reference);
      await refreshEngines(call, others, 'Images');
      return failed;
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
