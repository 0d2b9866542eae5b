// POST /containers/create: checks what the manager itself relies on, leaves the rest of the body to the engine,
// and lets the cluster choose the node.
import { badRequest } from '../../common/errors.ts';
import type { ApiCall, RequestCall } from '../api-call.ts';
import { assertCreateBodyTypes } from '../create-body-types.ts';
import { passedHeaders } from '../engine-call.ts';
import { isJsonObject } from '../request-body.ts';

export async function createContainer(call: ApiCall): Promise<void> {
  const body = await call.jsonValue();
  if (body === undefined || body === null || (isJsonObject(body) && Object.keys(body).length === 0)) {
    throw badRequest('config cannot be empty in order to create a container');
  }
  assertCreateBodyTypes(body);
  const { id, warnings } = await call.cluster.createContainer({
    body,
    name: call.query.get('name') ?? undefined,
    platform: call.query.get('platform') ?? undefined,
    headers: singleHeaders(call.req),
    version: call.version,
    signal: call.signal,
  });
  call.send(201, { Id: id, Warnings: warnings });
}

/** The headers that travel on, each as one line under its name in lower case. */
function singleHeaders(req: RequestCall['req']): Record<string, string> {
  const headers = Object.entries(passedHeaders(req));
  return Object.fromEntries(
    headers
      .filter(([name]) => name.toLowerCase() !== 'content-type')
      .map(([name, value]) => [name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')]),
  );
}
