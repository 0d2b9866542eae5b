// GET /containers/{name}/json: asked from the engine each time, because clients inspect right after an event
// and must not see the state before it.
import { translateInspect } from '../../docker/translation/translate-inspect.ts';
import type { ContainerInspect, WireObject } from '../../docker/types.ts';
import type { ApiCall } from '../api-call.ts';
import { whileHealthy } from '../engine-call.ts';
import { effectiveVersion } from '../versions.ts';
import { toInspectView } from '../views/inspect-container.ts';
import { containerPath, locateContainer } from './container-target.ts';

export async function inspectContainer(call: ApiCall): Promise<void> {
  const location = locateContainer(call);
  const { engine } = location;
  const answer = await whileHealthy(engine, call.signal, (signal) =>
    engine.client.request({
      method: 'GET',
      path: containerPath(call, location, '/json'),
      version: effectiveVersion(call.version, engine),
      query: Object.fromEntries(call.query),
      signal,
    }),
  );
  const container = translateInspect(answer.body as WireObject, call.version, engine.apiVersion) as ContainerInspect;
  call.send(200, toInspectView(container, engine, call.cluster.members.identityOf(engine)));
}
