// Creates whose answer never came: whether the container exists is found out from the engine, by its swarm id. Its
// name and its place stay reserved until the engine has spoken.
import { Backoff } from '../common/backoff.ts';
import { sleep, withResolvers } from '../common/abort.ts';
import type { TaskSet } from '../common/lifecycle.ts';
import { isWireObject } from '../docker/go-member.ts';
import type { Engine } from '../engine/engine.ts';
import { watchForLoss } from './engine-loss.ts';
import { swarmIdLabel } from './swarm-labels.ts';

/** An engine may still be at work on the request when it is asked for the first time. */
const absencesToBelieve = 3;
const answerWithinMs = 10_000;

export interface UnsettledCreate {
  readonly engine: Engine;
  readonly swarmId: string;
  /** Called once, when the engine has spoken, has left, or the manager stops. */
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
    try {
      resolve(await findContainer(create, signal));
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

async function findContainer({ engine, swarmId }: UnsettledCreate, signal: AbortSignal): Promise<string | undefined> {
  const backoff = new Backoff({ initialMs: 200, maxMs: 2_000 });
  let absences = 0;
  while (!signal.aborted && engine.state !== 'gone') {
    try {
      const id = await idWithLabel(engine, swarmId, signal);
      if (id !== undefined) {
        await engine.refreshContainer(id, signal);
        return id;
      }
      absences += 1;
      if (absences >= absencesToBelieve) return undefined;
    } catch {
      // The engine cannot be asked now; it is asked again.
      absences = 0;
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
