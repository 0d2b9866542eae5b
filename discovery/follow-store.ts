// How every store is followed: one server at a time, the next one when it fails, less and less often when all do. A
// server that says nothing is asked whether it is there, so that one that hangs is left within seconds.
import { setMaxListeners } from 'node:events';
import { sleep } from '../src/common/abort.ts';
import { Backoff } from '../src/common/backoff.ts';
import type { DiscoveryEntry } from './backend.ts';
import { sameMembership } from './entry.ts';
import { mergeMembership, type StoreView } from './store-view.ts';
import type { TroubleLog } from './trouble-log.ts';

export interface StoreReader {
  /** The server that is read from, for messages. */
  readonly server: string;
  /**
   * One reading of the store: its complete view now, then after each change. Throws when the server fails; ends or
   * throws when `signal` aborts.
   */
  views(signal: AbortSignal): AsyncIterable<StoreView>;
  /** Rejects when the server that `views` reads from does not answer, or knows no leader. Absent: `views` notices itself. */
  check?(signal: AbortSignal): Promise<void>;
  /** Called after a failure: the next reading should be of another server. */
  failed(error: unknown): void;
}

const checkEveryMs = 5_000;

/** The membership as a `DiscoveryBackend` yields it. */
export async function* followStore(
  reader: StoreReader,
  trouble: TroubleLog,
  signal: AbortSignal,
): AsyncGenerator<readonly DiscoveryEntry[]> {
  const backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
  let known: readonly DiscoveryEntry[] | undefined;
  for (;;) {
    try {
      for await (const view of checkedViews(reader, signal)) {
        trouble.succeeded({ server: reader.server });
        backoff.reset();
        const entries = mergeMembership(known ?? [], view);
        if (known && sameMembership(known, entries)) continue;
        known = entries;
        yield known;
      }
      signal.throwIfAborted();
      throw new Error('the store ended its answer');
    } catch (error) {
      if (signal.aborted) return;
      trouble.failed(error, { server: reader.server });
      reader.failed(error);
      await sleep(backoff.next(), signal);
    }
  }
}

/** The views of one reading, which fails as soon as a check does. */
async function* checkedViews(reader: StoreReader, signal: AbortSignal): AsyncGenerator<StoreView> {
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const end = (): void => {
    over.abort();
  };
  if (signal.aborted) return;
  signal.addEventListener('abort', end, { once: true });
  const failures: unknown[] = [];
  const checking = checkAgainAndAgain(reader, over.signal).catch((error: unknown) => {
    failures.push(error);
    end();
  });
  try {
    yield* reader.views(over.signal);
    if (failures.length > 0) throw new Error('the store fails a check');
  } catch (error) {
    // When a check has ended the reading, it knows why.
    if (failures.length > 0) throw new AggregateError(failures, '', { cause: error });
    throw error;
  } finally {
    end();
    signal.removeEventListener('abort', end);
    await checking;
  }
}

async function checkAgainAndAgain(reader: StoreReader, signal: AbortSignal): Promise<void> {
  if (!reader.check) return;
  for (;;) {
    // Not in step with those who started at the same moment.
    await sleep(checkEveryMs * (0.75 + Math.random() / 2), signal);
    if (signal.aborted) return;
    await reader.check(signal);
  }
}
