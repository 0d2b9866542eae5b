// Waiting in tests: for a condition, never for a time.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves with the first truthy value that `probe` gives; rejects with `what` when `timeoutMs` pass without one. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value as Exclude<T, false | undefined | null | 0 | ''>;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await delay(15);
  }
}
