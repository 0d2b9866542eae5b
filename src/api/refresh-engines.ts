// Brings the mirrors of several engines up to what a call changed there, before its answer ends.
import type { Engine } from '../engine/engine.ts';
import type { RequestCall } from './api-call.ts';
import { settle } from './engine-call.ts';

type List = 'Images' | 'Networks' | 'Volumes';

/** Never rejects, and gives up after a while: the call itself has succeeded. */
export async function refreshEngines(call: RequestCall, engines: Iterable<Engine>, list: List): Promise<void> {
  await settle(
    {
      settle: async (signal) => {
        await Promise.all([...new Set(engines)].map((engine) => engine[`refresh${list}`](signal)));
      },
    },
    call.signal,
  );
}
