// One body sent to several sinks at once. The slowest sink sets the pace, so that nothing piles up; a sink that
// is lost is left behind and holds up nobody.
import type { Readable, Writable } from 'node:stream';

/** Resolves with the sinks that took the whole body; they have been ended. A sink that fails or is destroyed, by its peer or by
 *  the caller, is dropped; when all are dropped, reading stops and the result is empty. Rejects, after destroying the sinks,
 *  when the source fails or `signal` aborts. The source itself is left to its owner. */
export function tee(source: Readable, sinks: readonly Writable[], signal: AbortSignal): Promise<readonly Writable[]> {
  return new Promise((resolve, reject) => {
    const open = new Set(sinks);
    const full = new Set<Writable>();
    const detach: (() => void)[] = [];

    const finish = (complete: readonly Writable[]): void => {
      release();
      for (const sink of complete) sink.end();
      resolve(complete);
    };
    const fail = (error: Error): void => {
      release();
      for (const sink of sinks) sink.destroy();
      reject(error);
    };
    const release = (): void => {
      source.pause();
      for (const undo of detach) undo();
    };
    const ready = (sink: Writable): void => {
      if (full.delete(sink) && full.size === 0) source.resume();
    };
    const drop = (sink: Writable): void => {
      if (!open.delete(sink)) return;
      if (open.size === 0) finish([]);
      else ready(sink);
    };

    for (const sink of sinks) {
      sink.on('error', () => {
        drop(sink);
      });
      detach.push(
        listen(sink, 'close', () => {
          drop(sink);
        }),
      );
      detach.push(
        listen(sink, 'drain', () => {
          ready(sink);
        }),
      );
    }
    detach.push(
      listen(source, 'data', (chunk) => {
        for (const sink of open) if (!sink.write(chunk)) full.add(sink);
        if (full.size > 0) source.pause();
      }),
      listen(source, 'end', () => {
        finish([...open]);
      }),
      listen(source, 'close', () => {
        fail(new Error('the body breaks off'));
      }),
    );
    source.on('error', fail);
    const onAbort = (): void => {
      fail(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    detach.push(() => {
      signal.removeEventListener('abort', onAbort);
    });

    for (const sink of sinks) if (sink.destroyed) drop(sink);
    if (signal.aborted) onAbort();
    else if (source.readableEnded) finish([...open]);
    else if (source.destroyed) fail(new Error('the body breaks off'));
  });
}

/** Returns how to stop listening. */
function listen(emitter: Readable | Writable, event: string, listener: (value: unknown) => void): () => void {
  emitter.on(event, listener);
  return () => {
    emitter.removeListener(event, listener);
  };
}
