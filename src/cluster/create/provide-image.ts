// How a node gets an image that other nodes have already: it pulls it, with the caller's credentials.
import { ApiError, conflict } from '../../common/errors.ts';
import { readNdjson } from '../../common/ndjson.ts';
import { textMember, goMember } from '../../docker/go-member.ts';
import { familiarRepository, parseImageReference } from '../../docker/image-reference.ts';
import type { ProvideImage } from '../calls.ts';

const pullHeadTimeoutMs = 10 * 60_000;

export const pullImage: ProvideImage = async (engine, reference, { headers, platform, signal }) => {
  const parsed = parseImageReference(reference);
  if (parsed === undefined)
    throw conflict(`image ${reference} is not on node ${engine.name}, and an id cannot be pulled`);
  const auth = headers['x-registry-auth'];
  const pull = await engine.client.stream({
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: familiarRepository(parsed),
      tag: parsed.digest ?? parsed.tag ?? 'latest',
      ...(platform === undefined || platform === '' ? {} : { platform }),
    },
    headers: auth === undefined ? {} : { 'X-Registry-Auth': auth },
    signal,
    timeoutMs: pullHeadTimeoutMs,
  });
  try {
    for await (const line of readNdjson(pull.body)) assertNoError(line);
  } finally {
    pull.close();
  }
  await engine.refreshImages();
};

function assertNoError(line: unknown): void {
  const message = textMember(goMember(line, 'errorDetail'), 'message') || textMember(line, 'error');
  if (message !== '') throw new ApiError(500, message);
}
