// Waiting for an engine's own word on a container: what was reserved for a call whose outcome is unknown is given
// back only when the mirror is known to show that outcome.
import { sleep } from '../common/abort.ts';
import { Backoff } from '../common/backoff.ts';
import { Deadline } from '../common/deadline.ts';
import type { Engine } from '../engine/engine.ts';

/** A caller is not kept longer than this for the mirror's sake. */
const patienceMs = 10_000;

/** True when the mirror shows the container as it is now; false when the engine is lost or takes too long. */
export async function readSoon(engine: Engine, containerId: string): Promise<boolean> {
  const deadline = new Deadline(patienceMs, []);
  try {
    return await engine.readContainer(containerId, deadline.signal);
  } finally {
    deadline.clear();
  }
}

/** An engine may still be at work on a call that was lost when it is asked for the first time. */
const readsToBelieve = 3;

/** Resolves when the mirror shows what became of a call that was lost, the engine has left, or `signal` aborts. */
export async function readForCertain(engine: Engine, containerId: string, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff({ initialMs: 200, maxMs: 2_000 });
  let reads = 0;
  while (!signal.aborted && engine.state !== 'gone') {
    reads = (await engine.readContainer(containerId, signal)) ? reads + 1 : 0;
    if (reads >= readsToBelieve) return;
    await sleep(backoff.next(), signal);
  }
}
