// Creates whose answer never came: whether the container exists is found out from the engine, by its swarm id. An
// engine works on a create although nobody waits for it any more, so the name and the place stay reserved for long after
// the engine has said for the first time that there is no such container.
import { Backoff } from '../../common/backoff.ts';
import { sleep, withResolvers } from '../../common/abort.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import { isWireObject } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';
import { watchForLoss } from '../engine-loss.ts';
import { swarmIdLabel } from '../swarm-labels.ts';

/** After so many the client is told that there is no container, though one may still come. */
const absencesToTell = 3;
const answerWithinMs = 10_000;

/** For how long an engine must say that there is no container until nothing can come of the create: longer than any takes. */
export const createDoubtMs = 30_000;

export interface UnsettledCreate {
  readonly engine: Engine;
  readonly swarmId: string;
  /** As `createDoubtMs`. */
  readonly doubtMs: number;
  /** Called once, when it is certain what became of the create, or the engine has left, or the manager stops. */
  readonly onSettled: () => void;
}

/**
 * The container's id when it turns out to exist; undefined when it does not, or when that is not known after ten
 * seconds or because the engine is lost.
 */
export async function settleCreate(create: UnsettledCreate, tasks: TaskSet): Promise<string | undefined> {
  if (tasks.signal.aborted) {
    create.onSettled();
    return undefined;
  }
  const { promise, resolve } = withResolvers<string | undefined>();
  tasks.spawn('settle a create', async (signal) => {
    const onAbsent = (): void => {
      resolve(undefined);
    };
    try {
      resolve(await findContainer(create, { signal, onAbsent }));
    } finally {
      create.onSettled();
      resolve(undefined);
    }
  });
  const loss = watchForLoss(create.engine);
  const answered = new AbortController();
  try {
    const waited = sleep(answerWithinMs, AbortSignal.any([answered.signal, loss.signal])).then(() => undefined);
    return await Promise.race([promise, waited]);
  } finally {
    answered.abort();
    loss.stop();
  }
}

interface Search {
  readonly signal: AbortSignal;
  /** Called when the engine does not seem to have the container. */
  readonly onAbsent: () => void;
}

async function findContainer(
  { engine, swarmId, doubtMs }: UnsettledCreate,
  { signal, onAbsent }: Search,
): Promise<string | undefined> {
  const backoff = new Backoff({ initialMs: 200, maxMs: 5_000 });
  let absences = 0;
  let absentSinceMs = Infinity;
  while (!signal.aborted && engine.state !== 'gone') {
    try {
      const id = await idWithLabel(engine, swarmId, signal);
      if (id !== undefined) {
        await engine.refreshContainer(id, signal);
        return id;
      }
      absences += 1;
      absentSinceMs = Math.min(absentSinceMs, Date.now());
      if (absences >= absencesToTell) onAbsent();
      if (absences >= absencesToTell && Date.now() - absentSinceMs >= doubtMs) return undefined;
    } catch {
      // The engine cannot be asked now; it is asked again.
      absences = 0;
      absentSinceMs = Infinity;
    }
    await sleep(backoff.next(), signal);
  }
  return undefined;
}

async function idWithLabel(engine: Engine, swarmId: string, signal: AbortSignal): Promise<string | undefined> {
  const filters = JSON.stringify({ label: [`${swarmIdLabel}=${swarmId}`] });
  const query = { all: '1', filters };
  const { body } = await engine.client.request({ method: 'GET', path: '/containers/json', query, signal });
  const rows: readonly unknown[] = Array.isArray(body) ? body : [];
  const [row] = rows;
  return isWireObject(row) && typeof row['Id'] === 'string' ? row['Id'] : undefined;
}
