// What becomes of an older copy when its node is back: it is stopped and kept, with its volumes, under another name, and
// nothing starts it again but its user.
import { ApiError } from '../../common/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineUnreachable } from '../../engine/unreachable.ts';
import { readSoon } from '../engine-word.ts';

/** Beyond the grace of its own that the container has. */
const stopTimeoutMs = 120_000;
const mostNames = 100;

/**
 * Resolves with the name that it has now. It gives free whatever name it has: that may be an older one than `name`, that of
 * the container that took its place, which its user may have renamed meanwhile.
 */
export async function putAway(
  engine: Engine,
  containerId: string,
  { name, node }: { readonly name: string; readonly node: string },
): Promise<string> {
  const path = `/containers/${containerId}`;
  // First, or the engine would start it again.
  await engine.client.request({
    method: 'POST',
    path: `${path}/update`,
    body: { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } },
  });
  await engine.client.request({ method: 'POST', path: `${path}/stop`, timeoutMs: stopTimeoutMs });
  const current = engine.mirror.containers.get(containerId)?.name ?? name;
  const stale = `.stale-${withoutOddities(node)}`;
  const kept = current.includes(stale) ? current : await rename(engine, containerId, `${current}${stale}`);
  await readSoon(engine, containerId);
  return kept;
}

/** A node that is lost once more may have a stale copy of that name already. */
async function rename(engine: Engine, containerId: string, name: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const tried = attempt === 1 ? name : `${name}-${attempt}`;
    try {
      await engine.client.request({
        method: 'POST',
        path: `/containers/${containerId}/rename`,
        query: { name: tried },
      });
      return tried;
    } catch (error) {
      const isTaken = error instanceof ApiError && !(error instanceof EngineUnreachable) && error.status === 409;
      if (!isTaken || attempt >= mostNames) throw error;
    }
  }
}

/** Node names of cloned machines hold addresses. */
function withoutOddities(node: string): string {
  return node.replace(/[^a-zA-Z0-9_.-]/g, '-');
}
