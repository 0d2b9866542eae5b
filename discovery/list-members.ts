// One look at the membership, for `shoal list`.
import { ApiError } from '../src/common/errors.ts';
import type { DiscoveryBackend, DiscoveryEntry } from './backend.ts';

/** The membership as it is now. Rejects with a 504 when the store has said nothing after `timeoutMs`. */
export async function listMembers(backend: DiscoveryBackend, timeoutMs: number): Promise<readonly DiscoveryEntry[]> {
  const over = new AbortController();
  const deadline = setTimeout(() => {
    over.abort();
  }, timeoutMs);
  try {
    for await (const entries of backend.watch(over.signal)) return entries;
  } finally {
    clearTimeout(deadline);
    over.abort();
  }
  throw new ApiError(504, `${backend.name} discovery has not answered within ${timeoutMs} ms`);
}
