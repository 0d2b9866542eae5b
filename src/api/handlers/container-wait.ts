// POST /containers/{name}/wait. The head is passed on the moment it arrives, because clients start the container
// only after it; the result is held until the lists show that the container has ended.
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import type { ApiCall } from '../api-call.ts';
import { settle } from '../engine-call.ts';
import { effectiveVersion } from '../versions.ts';
import { waitResult } from '../views/wait-result.ts';
import { containerPath, locateContainer } from './container-target.ts';

const conditions = new Set(['', 'not-running', 'next-exit', 'removed']);
/** Before API 1.30 the head comes with the result: after days, perhaps. */
const foreverMs = 2 ** 31 - 1;

export async function waitForContainer(call: ApiCall): Promise<void> {
  const waitsInOldWay = compareApiVersion(call.version, '1.30') < 0;
  const condition = waitsInOldWay ? '' : (call.query.get('condition') ?? '');
  if (!conditions.has(condition)) throw badRequest(`invalid condition: "${condition}"`);
  const location = locateContainer(call);
  const { engine, record } = location;
  const version = effectiveVersion(call.version, engine);
  const stream = await engine.client.stream({
    method: 'POST',
    path: containerPath(call, location, '/wait'),
    version,
    ...(condition === '' ? {} : { query: { condition } }),
    signal: call.signal,
    ...(compareApiVersion(version, '1.30') < 0 ? { timeoutMs: foreverMs } : {}),
  });
  try {
    call.res.writeHead(stream.status, { 'Content-Type': 'application/json' });
    // The engine may be too new to hold the head back for such a client.
    if (!waitsInOldWay) call.res.flushHeaders();
    const result = await readResult(stream.body);
    await settle({ settle: (signal) => engine.refreshContainer(record.id, signal) }, call.signal);
    call.res.end(waitResult(result, { version: call.version, condition }));
  } catch (error) {
    // A result that breaks off is how clients learn that the engine was lost.
    call.logger.debug('a wait ended without a result', { engine: engine.name, error });
    call.res.destroy();
  } finally {
    stream.close();
  }
}

async function readResult(body: AsyncIterable<Buffer> & { readonly complete: boolean }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  if (!body.complete) throw new Error('the engine ended the wait without a result');
  return Buffer.concat(chunks);
}
