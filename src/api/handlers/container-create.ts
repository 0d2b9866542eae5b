// POST /containers/create: checks what the manager itself relies on, leaves the rest of the body to the engine,
// and lets the cluster choose the node.
import { badRequest } from '../../common/errors.ts';
import { compareApiVersion } from '../../docker/api-version.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ApiCall } from '../api-call.ts';
import { assertCreateBodyTypes } from '../create-body-types.ts';
import { forwardedHeaders, settle } from '../engine-call.ts';
import { isJsonObject } from '../request-body.ts';

export async function createContainer(call: ApiCall): Promise<void> {
  const body = await call.jsonValue();
  if (body === undefined) throw badRequest('invalid JSON: got EOF while reading request body');
  if (body === null || (isJsonObject(body) && Object.keys(body).length === 0)) {
    throw badRequest('config cannot be empty in order to create a container');
  }
  assertCreateBodyTypes(body);
  const { engine, id, warnings } = await call.cluster.createContainer({
    body,
    name: call.query.get('name') ?? undefined,
    platform: wantedPlatform(call),
    headers: forwardedHeaders(call.req),
    version: call.version,
    signal: call.signal,
  });
  call.trace.concerns(id);
  call.trace.reaches(engine.name);
  await settle({ settle: (signal) => showNewVolumes(engine, id, signal) }, call.signal);
  call.send(201, { Id: id, Warnings: warnings });
}

/** Engines do not look at it for clients before API 1.41. */
function wantedPlatform({ query, version }: ApiCall): string | undefined {
  return compareApiVersion(version, '1.41') < 0 ? undefined : (query.get('platform') ?? undefined);
}

/** A create may make volumes, anonymous ones above all; the next list of volumes must have them. */
async function showNewVolumes(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  const { containers, volumes } = engine.mirror;
  const used = containers.get(id)?.details?.volumeNames ?? [];
  if (used.some((name) => !volumes.has(name))) await engine.refreshVolumes(signal);
}
