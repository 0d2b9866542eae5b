// Several streams of values as one stream of their latest values.

/**
 * The latest value of each source, in their order: once all have given one, then whenever one gives another. Throws when
 * a source does, ends when one ends; the others are left to whoever made them.
 */
export async function* latestOf<T>(sources: readonly AsyncIterator<T, void>[]): AsyncGenerator<readonly T[]> {
  const latest = new Map<number, T>();
  const waiting = sources.map((source, index) => take(source, index));
  for (;;) {
    const { index, result } = await Promise.race(waiting);
    if (result.done === true) return;
    latest.set(index, result.value);
    const source = sources[index];
    if (source) waiting[index] = take(source, index);
    if (latest.size === sources.length) yield [...latest].sort(([a], [b]) => a - b).map(([, value]) => value);
  }
}

interface Taken<T> {
  readonly index: number;
  readonly result: IteratorResult<T, void>;
}

function take<T>(source: AsyncIterator<T, void>, index: number): Promise<Taken<T>> {
  const taken = source.next().then((result) => ({ index, result }));
  // Nobody may be waiting for it any more when it fails.
  taken.catch(() => undefined);
  return taken;
}
