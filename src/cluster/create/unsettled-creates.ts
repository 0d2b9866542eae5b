// Creates whose answer never came: whether the container exists is found out from the engine, by its swarm id. An
// engine works on a create although nobody waits for it any more, so the name and the place stay reserved for long after
// the engine has said for the first time that there is no such container.
import { Backoff } from '../../common/backoff.ts';
import { sleep, withResolvers } from '../../common/abort.ts';
import type { TaskSet } from '../../common/lifecycle.ts';
import { isWireObject } from '../../docker/go-member.ts';
import type { Engine } from '../../engine/engine.ts';
import { watchForLoss } from '../engine-loss.ts';
import { generationLabel, swarmIdLabel } from '../swarm-labels.ts';

/** After so many the client is told that there is no container, though one may still come. */
const absencesToTell = 3;
const answerWithinMs = 10_000;

/** For how long an engine must say that there is no container until nothing can come of the create: longer than any takes. */
export const createDoubtMs = 30_000;

/** A container that may still come. */
export interface AwaitedContainer {
  readonly engine: Engine;
  readonly swarmId: string;
  /** That of the generation label, by which copies on one engine are told apart; '' for one that has none. */
  readonly generation: string;
  /** As `createDoubtMs`. */
  readonly doubtMs: number;
}

export interface UnsettledCreate extends AwaitedContainer {
  /** Called once: when what became of the create is certain, or the engine has left; and when the manager stops. */
  readonly onSettled: (outcome: 'certain' | 'open') => void;
}

/**
 * The container's id when it turns out to exist; undefined when it does not, or when that is not known after ten
 * seconds or because the engine is lost.
 */
export async function settleCreate(create: UnsettledCreate, tasks: TaskSet): Promise<string | undefined> {
  if (tasks.signal.aborted) {
    create.onSettled('open');
    return undefined;
  }
  const { promise, resolve } = withResolvers<string | undefined>();
  tasks.spawn('settle a create', async (signal) => {
    const onAbsent = (): void => {
      resolve(undefined);
    };
    try {
      resolve(await createdContainer(create, signal, onAbsent));
    } finally {
      create.onSettled(signal.aborted ? 'open' : 'certain');
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

/**
 * The container's id as soon as the engine shows it; undefined when none can come any more, or the engine has left, or
 * `signal` aborts. `onAbsent` is called when there does not seem to be one.
 */
export async function createdContainer(
  awaited: AwaitedContainer,
  signal: AbortSignal,
  onAbsent: () => void = () => undefined,
): Promise<string | undefined> {
  const { engine, doubtMs } = awaited;
  const backoff = new Backoff({ initialMs: 200, maxMs: 5_000 });
  let absences = 0;
  let absentSinceMs = Infinity;
  while (!signal.aborted && engine.state !== 'gone') {
    try {
      const id = await idOnEngine(awaited, signal);
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

async function idOnEngine(
  { engine, swarmId, generation }: AwaitedContainer,
  signal: AbortSignal,
): Promise<string | undefined> {
  const generations = generation === '' ? [] : [`${generationLabel}=${generation}`];
  const filters = JSON.stringify({ label: [`${swarmIdLabel}=${swarmId}`, ...generations] });
  const query = { all: '1', filters };
  const { body } = await engine.client.request({ method: 'GET', path: '/containers/json', query, signal });
  const rows: readonly unknown[] = Array.isArray(body) ? body : [];
  const [row] = rows;
  return isWireObject(row) && typeof row['Id'] === 'string' ? row['Id'] : undefined;
}
